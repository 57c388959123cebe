import type { Service } from '../../src/service';

/** What a counter stands at, over all its labels but those that are given. */
export async function counterOf(
  service: Pick<Service, 'metrics'>,
  name: string,
  labels: Record<string, string> = {},
): Promise<number> {
  const text = await service.metrics.registry.metrics();
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const values = [...text.matchAll(new RegExp(`^${name}(\\{[^}]*\\})? (\\S+)`, 'gm'))];
  const counted = values.filter(([, found = '']) => wanted.every((label) => found.includes(label)));
  return counted.reduce((sum, [, , value]) => sum + Number(value), 0);
}
