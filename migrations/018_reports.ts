import type { Knex } from 'knex';

/** Reports that were made, by the id of their job. What they say lies in a folder or a bucket, under `object_key`. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE reports (
      id uuid PRIMARY KEY,
      requested_by text NOT NULL,
      venue_id text,
      report_type text NOT NULL,
      start_date date NOT NULL,
      end_date date NOT NULL,
      format text NOT NULL,
      location text NOT NULL CHECK (location IN ('folder', 'bucket')),
      object_key text NOT NULL,
      size bigint NOT NULL,
      sha256 text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL
    );
    CREATE INDEX reports_expiry ON reports (expires_at);
    COMMENT ON COLUMN reports.requested_by IS 'the source of the request: who may fetch the report beside admins';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE reports;');
}
