/**
 * A process of its own that commits a business change together with a request, says so, and then hangs without having
 * published anything.
 */
import { Client } from 'pg';
import { QueueClient } from '../../src/client';

async function main(): Promise<void> {
  const database = new Client({ connectionString: process.env['DATABASE_URL'] });
  await database.connect();
  const client = QueueClient.open({ amqpUrl: process.env['AMQP_URL'] ?? '', source: '/order-service' });
  await database.query('BEGIN');
  await database.query(`INSERT INTO orders (id) VALUES ('committed')`);
  await client.publishInTransaction(database, 'canary-money', { n: 1 }, { id: 'committed' });
  await database.query('COMMIT');
  await database.query('BEGIN');
  await database.query(`INSERT INTO orders (id) VALUES ('open')`);
  await client.publishInTransaction(database, 'canary-money', { n: 2 }, { id: 'open' });
  console.log('committed');
}

void main();
