import type { Knex } from 'knex';

/**
 * Where the notifications of a user are shown: apps by their registration token, browsers by their push subscription. An
 * address belongs to one user, the last who registered it.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE device_tokens (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL,
      platform text NOT NULL CHECK (platform IN ('android', 'ios', 'web', 'web-push')),
      token text,
      subscription jsonb,
      address_digest bytea NOT NULL UNIQUE CHECK (octet_length(address_digest) = 32),
      created_at timestamptz NOT NULL DEFAULT now(),
      last_seen_at timestamptz NOT NULL DEFAULT now(),
      CHECK ((platform = 'web-push') = (subscription IS NOT NULL)),
      CHECK ((platform = 'web-push') = (token IS NULL))
    );
    CREATE INDEX device_tokens_user ON device_tokens (user_id, last_seen_at DESC);
    COMMENT ON COLUMN device_tokens.token IS 'of FCM; null where subscription, of Web Push, is not';
    COMMENT ON COLUMN device_tokens.address_digest IS 'SHA-256 of the token, or of the endpoint of the subscription';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE device_tokens;');
}
