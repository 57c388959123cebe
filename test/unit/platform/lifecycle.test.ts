import { Lifecycle, type Component } from '../../../src/platform/lifecycle';
import { gate } from '../../support/harness/wait';
import { silentLog } from '../../support/records';

const PATIENT_MS = 10_000_000;

function recorded(steps: string[], names: string[], over: Record<string, Partial<Component>> = {}): Component[] {
  return names.map((name) => ({
    name,
    start: () => Promise.resolve(void steps.push(`start ${name}`)),
    stop: () => Promise.resolve(void steps.push(`stop ${name}`)),
    ...over[name],
  }));
}

describe('a lifecycle', () => {
  it('starts in order and stops in reverse', async () => {
    const steps: string[] = [];
    const lifecycle = new Lifecycle(recorded(steps, ['a', 'b']), silentLog, PATIENT_MS);
    await lifecycle.start();
    await lifecycle.stop();
    expect(steps).toEqual(['start a', 'start b', 'stop b', 'stop a']);
  });

  it('stops everything after a failed start, also what had not begun, and tells the reason', async () => {
    const steps: string[] = [];
    const failing = { start: () => Promise.reject(new Error('no b')) };
    const lifecycle = new Lifecycle(recorded(steps, ['a', 'b', 'c'], { b: failing }), silentLog, PATIENT_MS);
    await expect(lifecycle.start()).rejects.toThrow('no b');
    expect(steps).toEqual(['start a', 'stop c', 'stop b', 'stop a']);
  });

  it('stops once, however often it is asked', async () => {
    const steps: string[] = [];
    const lifecycle = new Lifecycle(recorded(steps, ['a']), silentLog, PATIENT_MS);
    await lifecycle.start();
    await Promise.all([lifecycle.stop(), lifecycle.stop()]);
    await lifecycle.stop();
    expect(steps).toEqual(['start a', 'stop a']);
  });

  it('stops the others when one cannot stop', async () => {
    const steps: string[] = [];
    const hanging = { stop: () => new Promise<void>(() => undefined) };
    const failing = { stop: () => Promise.reject(new Error('no c')) };
    const lifecycle = new Lifecycle(recorded(steps, ['a', 'b', 'c'], { b: hanging, c: failing }), silentLog, 1);
    await lifecycle.start();
    await lifecycle.stop();
    expect(steps.at(-1)).toBe('stop a');
  });

  it('begins nothing more once it was asked to stop', async () => {
    const steps: string[] = [];
    const begun = gate();
    const slow = { start: () => begun.opened };
    const lifecycle = new Lifecycle(recorded(steps, ['a', 'b'], { a: slow }), silentLog, PATIENT_MS);
    const starting = lifecycle.start();
    const stopping = lifecycle.stop();
    begun.open();
    await Promise.all([starting, stopping]);
    expect(steps).not.toContain('start b');
  });
});
