/**
 * Addresses that no mail must go to: PostgreSQL's table `email_suppressions`. It holds digests: whoever is to be left alone
 * must stay on it when everything else about them is erased.
 */
import { sha256 } from '../platform/ids';
import type { Queryable } from '../platform/postgres/database';
import { isUnavailable } from '../platform/postgres/errors';
import { within } from '../platform/time';
import type { DoneAnswer, FailureAnswer } from './answer';

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
      const byDigest = new Map(addresses.map((address) => [digestOf(address), address]));
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

const UNAVAILABLE = {
  kind: 'refused',
  code: 'SUPPRESSIONS_UNAVAILABLE',
  message: 'the suppression list was not read; nothing was sent',
  trouble: 'unheard',
} as const;

/** Whoever owns a domain reads its addresses in either case. */
function digestOf(address: string): string {
  return sha256(address.toLowerCase());
}

const AMONG = {
  name: 'suppressions-among',
  text: `
    SELECT DISTINCT encode(address_digest, 'hex') AS digest FROM email_suppressions
    WHERE address_digest IN (SELECT decode(digest, 'hex') FROM unnest($1::text[]) AS asked (digest))
      AND ($2 OR reason <> 'unsubscribed')`,
};
