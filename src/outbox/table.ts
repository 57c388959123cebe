import type { Statement } from '../platform/postgres/database';
import { arrayOfJsonTexts } from '../platform/postgres/json-texts';
import { identifier } from '../platform/postgres/identifier';

/** An outbox by its table's name, with the statements that go to it. */
export interface OutboxTable {
  readonly name: string;
  readonly append: Statement;
  readonly read: Statement;
  readonly mark: Statement;
  readonly defer: Statement;
  readonly backlog: Statement;
  readonly unpublished: Statement;
}

/**
 * The statements for a table of this name; the columns are those of the migrations. Prepared statements are named after
 * the table, since two tables may share a connection.
 * @param idType of the column `id`
 */
export function outboxTable(name: string, idType: 'uuid' | 'text'): OutboxTable {
  const table = identifier(name);
  return {
    name: table,
    append: {
      name: `append to ${table}`,
      text: `
        INSERT INTO ${table} (id, ordering_key, exchange, routing_key, properties, body, mandatory)
        SELECT id, ordering_key, exchange, routing_key, properties::jsonb, body, mandatory
        FROM unnest($1::${idType}[], $2::uuid[], $3::text[], $4::text[], ${arrayOfJsonTexts('$5')},
          ${arrayOfJsonTexts('$6')}, $7::boolean[])
          AS m (id, ordering_key, exchange, routing_key, properties, body, mandatory)`,
    },
    read: {
      name: `read ${table}`,
      // The length of a body is known without reading it.
      text: `
        WITH due AS (
          SELECT seq, id, ordering_key, exchange, routing_key, properties, body, mandatory, attempts, created_at
          FROM ${table}
          WHERE published_at IS NULL AND parked_at IS NULL AND ordering_key NOT IN (
            SELECT ordering_key FROM ${table}
            WHERE published_at IS NULL AND parked_at IS NULL AND next_attempt_at > now()
          )
          ORDER BY seq LIMIT $1
        ), measured AS (
          SELECT *, sum(octet_length(body)) OVER (ORDER BY seq) - octet_length(body) AS bytes_before FROM due
        )
        SELECT seq, id, ordering_key, exchange, routing_key, properties, body, mandatory, attempts,
          date_part('epoch', created_at) * 1000 AS created_at_ms
        FROM measured WHERE bytes_before < $2 ORDER BY seq`,
    },
    mark: {
      name: `mark ${table}`,
      // created_at only helps the planner to leave out the partitions of other days. A mark that is lost in a crash of the
      // server has its message published once more, under its id: nobody waits until it is on disk.
      text: `
        WITH lax AS (SELECT set_config('synchronous_commit', 'off', true) AS commit)
        UPDATE ${table} SET published_at = now(), last_error = NULL
        WHERE seq = ANY($1::bigint[]) AND created_at >= $2 AND published_at IS NULL
          AND (SELECT commit FROM lax) = 'off'`,
    },
    defer: {
      text: `
        UPDATE ${table} SET attempts = attempts + 1, last_error = $3,
          next_attempt_at = now() + $4 * interval '1 millisecond',
          parked_at = CASE WHEN attempts + 1 >= $5 THEN now() END
        WHERE seq = $1 AND created_at >= $2 AND published_at IS NULL
        RETURNING parked_at IS NOT NULL AS parked`,
    },
    backlog: {
      text: `
        SELECT count(*) AS rows, COALESCE(EXTRACT(epoch FROM now() - min(created_at)), 0)::float8 AS age,
          (SELECT count(*) FROM ${table} WHERE parked_at IS NOT NULL AND published_at IS NULL) AS parked
        FROM ${table} WHERE published_at IS NULL AND parked_at IS NULL`,
    },
    unpublished: {
      // As two, since each half has an index of its own.
      text: `
        SELECT ordering_key FROM ${table}
        WHERE published_at IS NULL AND parked_at IS NULL AND ordering_key = ANY($1::uuid[])
        UNION
        SELECT ordering_key FROM ${table}
        WHERE published_at IS NULL AND parked_at IS NOT NULL AND ordering_key = ANY($1::uuid[])`,
    },
  };
}

/** The service's own. */
export const SERVICE_OUTBOX = outboxTable('outbox_events', 'uuid');
