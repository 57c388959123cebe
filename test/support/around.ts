import type { Decorate, StepName } from '../../src/composition/foundation';

/** What a test does around a step: `run` is the step itself. */
export type Around = (run: () => Promise<unknown>, args: unknown[]) => Promise<unknown>;

/** Puts a test around some steps of a service. */
export function around(hooks: Partial<Record<StepName, Around>>): Decorate {
  return (name, step) => {
    const hook = hooks[name];
    if (!hook) return step;
    return new Proxy(step, {
      apply: (target, self, args) => hook(() => Promise.resolve(Reflect.apply(target, self, args)), args),
    });
  };
}
