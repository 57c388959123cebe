/**
 * Addresses that no mail must go to: PostgreSQL's table `email_suppressions`. It holds digests: whoever is to be left alone
 * must stay on it when everything else about them is erased.
 */
import { sha256 } from '../platform/ids';
import type { Queryable } from '../platform/postgres/database';
import { isUnavailable } from '../platform/postgres/errors';
import { within } from '../platform/time';
import type { DoneAnswer, FailureAnswer } from './answer';

export type SuppressionReason = 'bounced' | 'reported_as_spam' | 'unsubscribed';

export interface SuppressionList {
  /**
   * Those of the addresses that must not get a mail; who only unsubscribed still gets one that is not optional.
   * @throws what is no error of the store's, but a fault in this program
   */
  among(
    addresses: string[],
    question: { optional: boolean; timeoutMs: number },
  ): Promise<DoneAnswer<ReadonlySet<string>> | Extract<FailureAnswer, { kind: 'refused' }>>;
}

export function createSuppressionList(database: Queryable): SuppressionList {
  return {
    async among(addresses, { optional, timeoutMs }) {
      const byDigest = new Map(addresses.map((address) => [addressDigest(address), address]));
      try {
        const asked = database.query<{ digest: string }>(AMONG, [[...byDigest.keys()], optional]);
        const rows = await within(timeoutMs, 'reading the suppression list', asked);
        const listed = rows.flatMap(({ digest }) => byDigest.get(digest) ?? []);
        return { kind: 'done', value: new Set(listed), reference: '' };
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        return UNAVAILABLE;
      }
    },
  };
}

/** Puts an address on the list, by its digest; one that is on it for this reason stays. */
export async function suppress(database: Queryable, digest: string, reason: SuppressionReason): Promise<void> {
  await database.query(
    {
      text: `
        INSERT INTO email_suppressions (address_digest, reason) VALUES (decode($1, 'hex'), $2)
        ON CONFLICT (address_digest, reason) DO NOTHING`,
    },
    [digest, reason],
  );
}

const UNAVAILABLE = {
  kind: 'refused',
  code: 'SUPPRESSIONS_UNAVAILABLE',
  message: 'the suppression list was not read; nothing was sent',
  trouble: 'unheard',
} as const;

/** Whoever owns a domain reads its addresses in either case. */
export function addressDigest(address: string): string {
  return sha256(address.toLowerCase());
}

const AMONG = {
  name: 'suppressions-among',
  text: `
    SELECT DISTINCT encode(address_digest, 'hex') AS digest FROM email_suppressions
    WHERE address_digest IN (SELECT decode(digest, 'hex') FROM unnest($1::text[]) AS asked (digest))
      AND ($2 OR reason <> 'unsubscribed')`,
};
