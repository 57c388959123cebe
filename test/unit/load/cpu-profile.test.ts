import { summarise } from '../../load/profile/cpu-profile';

const BUILD = '/build';

/** A call tree of one branch for each stack, from the outermost frame inwards, with the milliseconds of its samples. */
function profileOf(stacks: { frames: [name: string, url: string][]; ms: number }[]) {
  const nodes: Parameters<typeof summarise>[0]['nodes'] = [];
  const samples: number[] = [];
  for (const { frames } of stacks) {
    const first = nodes.length + 1;
    frames.forEach(([functionName, url], index) => {
      const id = first + index;
      const children = index < frames.length - 1 ? [id + 1] : [];
      nodes.push({ id, callFrame: { functionName, url, lineNumber: 9 }, children });
    });
    samples.push(nodes.length);
  }
  return { nodes, samples, timeDeltas: stacks.map(({ ms }) => ms * 1_000) };
}

const relay: [string, string] = ['drain', `file://${BUILD}/dist/outbox/relay.js`];
const amqp: [string, string] = ['publish', `${BUILD}/node_modules/amqplib/lib/channel.js`];
const socket: [string, string] = ['writev', ''];
const net: [string, string] = ['_writev', 'node:net'];

const summary = summarise(
  profileOf([
    { frames: [relay, amqp], ms: 3 },
    { frames: [amqp, socket], ms: 2 },
    { frames: [amqp, net, socket], ms: 1 },
    { frames: [['(garbage collector)', '']], ms: 2 },
    { frames: [['(idle)', '']], ms: 100 },
    {
      frames: [
        ['post', 'node:inspector'],
        ['dispatch', ''],
      ],
      ms: 50,
    },
  ]),
  BUILD,
);

it("counts for a room what it calls, and for a package what no room's code runs", () => {
  expect(summary.byRoom).toEqual([
    ['dist/outbox', 3 / 8],
    ['amqplib', 3 / 8],
    ['(garbage collector)', 2 / 8],
  ]);
});

it('counts C++ for the JavaScript that called it', () => {
  expect(summary.byPackage).toEqual([
    ['amqplib', 5 / 8],
    ['(garbage collector)', 2 / 8],
    ['node', 1 / 8],
  ]);
});

it('names functions with their place', () => {
  expect(summary.byFunction).toEqual([
    ['publish amqplib/lib/channel.js:10', 3 / 8],
    ['writev', 3 / 8],
    ['(garbage collector)', 2 / 8],
  ]);
});
