import type { Knex } from 'knex';

/**
 * Nonces of each signer on an EVM chain, and every transaction that was signed. Both are written in one transaction, and
 * before anything is sent. A replacement has the nonce and the key of what it replaces, and the next version.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    CREATE TABLE nonces (
      signer text PRIMARY KEY,
      next bigint NOT NULL CHECK (next >= 0)
    );
    COMMENT ON COLUMN nonces.signer IS '<chain id>:<address>';

    CREATE TABLE evm_transactions (
      signer text NOT NULL REFERENCES nonces (signer),
      nonce bigint NOT NULL,
      version integer NOT NULL CHECK (version >= 1),
      mint_key text NOT NULL,
      hash text NOT NULL,
      raw text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (signer, nonce, version),
      UNIQUE (mint_key, version)
    );
    COMMENT ON COLUMN evm_transactions.mint_key IS 'provider key of the effect: job, effect, number';
    COMMENT ON COLUMN evm_transactions.raw IS 'signed, as it is sent';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP TABLE evm_transactions; DROP TABLE nonces;');
}
