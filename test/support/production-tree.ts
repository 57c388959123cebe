import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

const ROOT = path.join(__dirname, '../..');
const BUILT_FROM = ['package.json', 'tsconfig.json', 'tools', 'migrations', 'src'];

const lock = z.object({
  packages: z.record(z.string(), z.object({ dev: z.boolean().optional(), optional: z.boolean().optional() })),
});

export interface ProductionTree {
  folder: string;
  remove: () => void;
}

/**
 * What the image of the service holds, made by the same steps: a build, and beside it only the packages that
 * package-lock.json does not mark as packages of development. Taken from what is installed instead of from the registry.
 */
export async function makeProductionTree(): Promise<ProductionTree> {
  const place = mkdtempSync(path.join(tmpdir(), 'queue-service-production-'));
  const [build, folder] = [path.join(place, 'build'), path.join(place, 'app')];
  for (const name of BUILT_FROM) cpSync(path.join(ROOT, name), path.join(build, name), { recursive: true });
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(build, 'node_modules'));
  await promisify(execFile)(process.execPath, ['tools/build.mjs'], { cwd: build, timeout: 50_000 });
  mkdirSync(folder);
  cpSync(path.join(build, 'dist'), path.join(folder, 'dist'), { recursive: true });
  cpSync(path.join(ROOT, 'package.json'), path.join(folder, 'package.json'));
  for (const name of productionPackages()) copyPackage(path.join(ROOT, name), path.join(folder, name));
  return { folder, remove: () => rmSync(place, { recursive: true, force: true }) };
}

/** Optional ones may be for other machines, and not be installed. */
function productionPackages(): string[] {
  const { packages } = lock.parse(JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')));
  return Object.entries(packages)
    .filter(([name, { dev, optional }]) => name !== '' && !dev && (!optional || existsSync(path.join(ROOT, name))))
    .map(([name]) => name);
}

/** Without the packages inside it, which the lock lists by themselves. */
function copyPackage(from: string, to: string): void {
  const inside = path.join(from, 'node_modules');
  cpSync(from, to, { recursive: true, filter: (source) => source !== inside });
}
