// Emulate's Twilio in a thread of its own: the package is an ES module, which the tests' loader cannot load.
import { parentPort, workerData } from 'node:worker_threads';
import { createEmulator } from 'emulate';

const emulator = await createEmulator({ service: 'twilio', ...workerData });
parentPort.on('message', () => {
  emulator.reset();
  parentPort.postMessage(emulator.url);
});
parentPort.postMessage(emulator.url);
