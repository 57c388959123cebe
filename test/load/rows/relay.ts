import { Client } from 'pg';
import { EXCHANGES } from '../../../src/contract/names';
import { takeTurn, type Turn } from '../stage/turn';
import { cpuFigures, jobsOf, warmUpOf } from './end-to-end';
import { interleaved } from './interleaved';
import type { Row } from './row';
import { services } from './throughput';

const USUAL_MESSAGES = 30_000;
const USUAL_RUNS = 3;

/** Outcomes that have been committed, of as many jobs; about what a payment's has. */
const COMMIT = `
  INSERT INTO outbox_events (id, ordering_key, exchange, routing_key, properties, body, mandatory)
  SELECT gen_random_uuid(), gen_random_uuid(), $2, 'money.completed',
    '{"contentType": "application/cloudevents+json", "type": "job.completed", "alsoTo": [], "headers": {}}',
    jsonb_build_object('data', jsonb_build_object('requestId', n::text, 'outcome', 'completed'), 'note', repeat('x', 500)),
    false
  FROM generate_series(1, $1::integer) AS n`;

export const relay: Row = {
  name: 'relay',
  about: 'outcomes from the outbox to the broker, with nothing else to do',
  measure: async (stage) => {
    const messages = jobsOf(stage, USUAL_MESSAGES);
    const publishers = services(stage, { ROLES: 'relay,scheduler' });
    const measured = await interleaved(
      stage,
      publishers,
      (contestant) => takeTurn(stage, contestant, (turn) => publishAll(turn, messages)),
      USUAL_RUNS,
    );
    return { jobs: messages, measured, checks: [] };
  },
};

async function publishAll({ place, drive, cpu }: Turn, messages: number): Promise<Record<string, number>> {
  const warmUp = warmUpOf(messages);
  await commit(place.variables.DATABASE_URL, warmUp);
  await drive.arrivals(warmUp);
  await commit(place.variables.DATABASE_URL, messages);
  const [before, begun] = [cpu.read(), performance.now()];
  // The clock starts with the first of them: how soon the relay looks is not measured here.
  const { jobs, seconds } = await drive.arrivals(warmUp + messages, warmUp + 1);
  const all = (performance.now() - begun) / 1_000;
  return { 'outcomes/s': jobs / seconds, ...cpuFigures(cpu.since(before), messages, all) };
}

async function commit(databaseUrl: string, messages: number): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(COMMIT, [messages, EXCHANGES.outcomes]);
  } finally {
    await client.end();
  }
}
