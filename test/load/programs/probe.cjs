// Loaded into the service before its main program (`node --require`). Answers the bench's questions about the process
// itself, which nothing else could; without a question it does nothing.
const { Session } = require('node:inspector/promises');
const { writeFileSync } = require('node:fs');

/** Microseconds. Fine enough for a run of seconds, and a few per cent of the time. */
const SAMPLE_EVERY_US = 500;
let session;

const ANSWERS = {
  /** What it holds once everything that can go has gone. Needs `--expose-gc`. */
  memory: () => {
    globalThis.gc();
    globalThis.gc();
    return process.memoryUsage();
  },
  startProfile: async () => {
    session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_US });
    await session.post('Profiler.start');
  },
  stopProfile: async ({ file }) => {
    const { profile } = await session.post('Profiler.stop');
    session.disconnect();
    writeFileSync(file, JSON.stringify(profile));
  },
};

async function answer(question) {
  try {
    process.send({ answer: (await ANSWERS[question.ask](question)) ?? null });
  } catch (error) {
    process.send({ failure: String(error?.stack ?? error) });
  }
}

process.on('message', (question) => void answer(question));
process.on('disconnect', () => process.exit(1));
process.channel.unref();
