import type { Service } from '../../src/service';

/** What a counter stands at, over all its labels. */
export async function counterOf(service: Pick<Service, 'metrics'>, name: string): Promise<number> {
  const text = await service.metrics.registry.metrics();
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'gm'))];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}
