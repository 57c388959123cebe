// Completes package-lock.json after `npm install --package-lock-only` against a registry that lacks the binaries of
// other platforms. npm leaves such optional packages out of the lock, and `npm ci` then refuses it ("Missing: … from
// lock file"). Each gets an entry with its version and platform only, which satisfies `npm ci` on a partial registry
// as well as on a full one. With a full registry there is nothing to add.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const FILE = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../package-lock.json');
const SYSTEMS = ['win32', 'darwin', 'android', 'freebsd', 'openbsd', 'netbsd', 'sunos', 'aix', 'openharmony', 'linux'];
/** The longer names first: `arm` is part of `arm64`. */
const PROCESSORS = ['arm64', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el', 'wasm32', 'arm'];

/** Node's own search: beside the dependent's dependencies, then in each folder above. */
function isLocked(packages, dependent, name) {
  for (let folder = dependent; ; folder = parentOf(folder)) {
    if (packages[`${folder ? `${folder}/` : ''}node_modules/${name}`]) return true;
    if (folder === '') return false;
  }
}

function parentOf(location) {
  const end = location.lastIndexOf('/node_modules/');
  return end < 0 ? '' : location.slice(0, end);
}

/** What a lock must say of a package that nobody here can install: how else would npm know to skip it? */
function bareEntry(name, version, dev) {
  const os = SYSTEMS.find((system) => name.includes(system));
  const cpu = PROCESSORS.find((processor) => name.includes(processor));
  const libc = os === 'linux' ? /musl|gnu/.exec(name)?.[0] : undefined;
  return {
    version,
    ...(cpu && { cpu: [cpu] }),
    ...(dev && { dev }),
    ...(libc && { libc: [libc === 'musl' ? 'musl' : 'glibc'] }),
    optional: true,
    ...(os && { os: [os] }),
  };
}

const lock = JSON.parse(readFileSync(FILE, 'utf8'));
const packages = { ...lock.packages };
let added = 0;
for (const [dependent, entry] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isLocked(packages, dependent, name)) continue;
    // Binaries are published together with their package, so an exact version, or the lowest of a range, does exist.
    const version = /^[\^~]?(\d+\.\d+\.\d+\S*)$/.exec(range)?.[1];
    if (!version) throw new Error(`${dependent} wants ${name}@${range}: no version can be read from that`);
    packages[`node_modules/${name}`] = bareEntry(name, version, entry.dev);
    added += 1;
  }
}
// npm's own order, so that the next `npm install` changes nothing but what it has to.
lock.packages = Object.fromEntries(Object.entries(packages).sort(([one], [other]) => one.localeCompare(other, 'en')));
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`package-lock.json: ${added === 0 ? 'complete' : `${added} entries for other platforms added`}`);
