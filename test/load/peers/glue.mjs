// What a user of any of the peers writes around it: requests in from RabbitMQ, acknowledged once the peer has stored them,
// and outcomes out, confirmed before the peer is told that the job is done.
import { connect } from 'amqplib';

/** As many as the service may hold unacknowledged. */
const PREFETCH = 400;

/** Opens what the bench expects: requests arrive at `jobs.requests`, outcomes leave by `jobs.events`. */
async function openBroker(url) {
  const connection = await connect(url, { noDelay: true });
  const [intake, outcomes] = [await connection.createChannel(), await connection.createConfirmChannel()];
  await intake.assertExchange('jobs.requests', 'topic', { durable: true });
  await intake.assertExchange('jobs.events', 'topic', { durable: true });
  await intake.assertQueue('peer.requests', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await intake.bindQueue('peer.requests', 'jobs.requests', 'money.#');
  await intake.prefetch(PREFETCH);
  return { intake, outcomes };
}

/** Each request by itself, all at the same time: what most people write. */
function oneByOne(channel, add) {
  return (message) => {
    add([JSON.parse(message.content.toString())]).then(() => channel.ack(message), giveUp);
  };
}

/** Together what arrived while the last ones were stored: for peers that take many jobs in one call. */
function inBatches(channel, add) {
  let waiting = [];
  let busy = false;
  const work = async () => {
    while (waiting.length > 0) {
      const messages = waiting.splice(0);
      await add(messages.map(({ content }) => JSON.parse(content.toString())));
      for (const message of messages) channel.ack(message);
    }
    busy = false;
  };
  return (message) => {
    waiting.push(message);
    if (busy) return;
    busy = true;
    setImmediate(() => void work().catch(giveUp));
  };
}

function outcomePublisher(channel) {
  return ({ id }) => {
    const outcome = { data: { requestId: id, outcome: 'completed' }, note: 'x'.repeat(300) };
    return new Promise((resolve, reject) => {
      const options = { persistent: true, messageId: id };
      channel.publish('jobs.events', 'money.completed', Buffer.from(JSON.stringify(outcome)), options, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  };
}

function giveUp(error) {
  console.error(error);
  process.exit(1);
}

/**
 * Runs a peer until the bench stops it.
 * @param open starts the peer's workers, which call `finish` with each request; resolves with what stores requests
 */
export function runPeer(open) {
  const batched = process.argv.includes('--batches');
  const running = (async () => {
    const { intake, outcomes } = await openBroker(process.env.AMQP_URL);
    const add = await open({ environment: process.env, batched, finish: outcomePublisher(outcomes) });
    const take = (batched ? inBatches : oneByOne)(intake, add);
    await intake.consume('peer.requests', take);
  })();
  process.on('message', () => {
    running.then(
      () => process.send({ answer: null }),
      (error) => process.send({ failure: String(error.stack) }),
    );
  });
  process.on('disconnect', () => process.exit(1));
  process.on('SIGTERM', () => process.exit(0));
}
