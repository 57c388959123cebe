/**
 * The allowed arrows between the rooms of src/ (see docs/architecture.md): imports point down only, and rooms of one
 * layer do not import each other. A room missing from LAYERS fails the last rule, so a new room must be placed.
 */
const LAYERS = [
  ['admin', 'scheduling', 'recovery', 'monitoring'],
  ['intake', 'execution'],
  ['handlers', 'client'],
  ['jobs', 'queues', 'outbox', 'limits', 'providers', 'subscriptions'],
  ['topology'],
  ['catalogue'],
  ['contract'],
  ['platform'],
];
const COMPOSITION = '^src/(main|service|migrate|settle|set-limits|config|composition)';

const rooms = LAYERS.flat();
const folder = (names) => `^src/(${names.join('|')})/`;

/** Everything a room may not import: rooms above it, its neighbours, and the rooms an exception takes away. */
function forbiddenFor(room, index) {
  const above = LAYERS.slice(0, index).flat();
  const neighbours = LAYERS[index].filter((name) => name !== room);
  const exceptions = {
    intake: ['handlers', 'providers', 'subscriptions', 'client'],
    execution: ['providers', 'subscriptions', 'client'],
    handlers: ['jobs', 'queues', 'outbox', 'limits', 'subscriptions', 'client', 'topology'],
    client: ['handlers', 'jobs', 'queues', 'limits', 'providers', 'subscriptions', 'topology'],
  };
  return [...above, ...neighbours, ...(exceptions[room] ?? [])].filter((name) => name !== room);
}

const arrows = LAYERS.flatMap((layer, index) =>
  layer.map((room) => ({
    name: `arrows-of-${room}`,
    severity: 'error',
    from: { path: folder([room]) },
    to: { path: folder(forbiddenFor(room, index).concat('__nothing__')) },
  })),
);

module.exports = {
  forbidden: [
    ...arrows,
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'only-composition-reads-config',
      severity: 'error',
      from: { path: '^src/', pathNot: COMPOSITION },
      to: { path: '^src/(config|composition|service|main|migrate|settle|set-limits)' },
    },
    {
      name: 'config-is-a-leaf',
      severity: 'error',
      from: { path: '^src/config/' },
      to: { path: '^src/', pathNot: '^src/config/' },
    },
    {
      name: 'rooms-are-placed',
      severity: 'error',
      from: {},
      to: { path: '^src/[^/]+/', pathNot: `^src/(${[...rooms, 'config', 'composition'].join('|')})/` },
    },
    {
      name: 'source-does-not-import-tests-or-tools',
      severity: 'error',
      from: { path: '^(src|migrations)/' },
      to: { path: '^(test|tools)/' },
    },
    {
      name: 'source-uses-only-declared-runtime-packages',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown'], pathNot: '^node_modules/@types/' },
    },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['require', 'node', 'default'],
      extensions: ['.ts', '.mts', '.js', '.mjs', '.cjs', '.json'],
    },
  },
};
