import type { Knex } from 'knex';

/**
 * Addresses that no mail goes to, by their digest, which stays when a person is erased: SHA-256 of the address in small
 * letters. An address may be here for several reasons.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE email_suppressions (
      address_digest bytea NOT NULL CHECK (octet_length(address_digest) = 32),
      reason text NOT NULL CHECK (reason IN ('bounced', 'reported_as_spam', 'unsubscribed', 'by_hand')),
      created_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (address_digest, reason)
    );
    COMMENT ON COLUMN email_suppressions.reason IS 'unsubscribed: from optional mails alone; all others: from every mail';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE email_suppressions;');
}
