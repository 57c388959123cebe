/**
 * Effects that move money, as told by a person who found one at its provider: what must be said about it so that the
 * job's handler can go on as if the provider had answered.
 */
import type { z } from 'zod';
import { problemsOf } from '../contract/problems';
import type { Problem } from '../platform/json-problems';
import { mintValue } from './nft-mint';
import { squareKey } from '../providers/square/adapter';
import { squareChargeValue, stripeChargeValue } from './charges';
import { payoutValue, transferValue } from './payout-process';
import { refundValue } from './refunds';

interface ToldEffect {
  /** What the handler needs to know of the effect. */
  value: z.ZodObject;
  /** Which field of it is the provider's reference. */
  field: string;
  /** How such a reference begins, so that none of another kind is taken for it; any where there are none. */
  prefixes: string[];
}

/** By provider, job type and name of the effect. */
const TOLD: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, ToldEffect>>>>>> = {
  stripe: {
    'payment-process': { charge: { value: stripeChargeValue, field: 'paymentIntentId', prefixes: ['pi_'] } },
    'refund-process': { refund: { value: refundValue, field: 'refundId', prefixes: ['re_', 'pyr_'] } },
    'payout-process': {
      transfer: { value: transferValue, field: 'transferId', prefixes: ['tr_'] },
      payout: { value: payoutValue, field: 'payoutId', prefixes: ['po_'] },
    },
  },
  square: {
    'payment-process': { charge: { value: squareChargeValue, field: 'chargeId', prefixes: [] } },
    'refund-process': { refund: { value: refundValue, field: 'refundId', prefixes: [] } },
  },
};

/** Of types with one effect, of which every provider tells the same. */
const ALIKE: Readonly<Record<string, ToldEffect>> = {
  // A hash on Polygon, a signature on Solana.
  'nft-mint': { value: mintValue, field: 'transactionSignature', prefixes: [] },
};

function toldOf(jobType: string, { name, intent }: LedgerEffect): ToldEffect | undefined {
  const { provider } = intent;
  return ALIKE[jobType] ?? (typeof provider === 'string' ? TOLD[provider]?.[jobType]?.[name] : undefined);
}

/** An effect in the ledger. */
interface LedgerEffect {
  name: string;
  /** What was asked for, which is part of what happened. */
  intent: Record<string, unknown>;
}

/** What a person says about an effect that happened. */
export interface Told {
  reference: string;
  value: Record<string, unknown>;
}

/** The value of an effect as the ledger takes it, or what is wrong with what was told. */
export function valueOfTold(
  jobType: string,
  effect: LedgerEffect,
  { reference, value }: Told,
): { value: unknown } | { problems: Problem[] } {
  const { intent } = effect;
  const told = toldOf(jobType, effect);
  if (!told) return { value };
  const problems = [...referenceProblems(told, reference), ...unwantedFields(told, intent, value)];
  const parsed = told.value.safeParse({ ...intent, ...value, [told.field]: reference });
  if (!parsed.success) problems.push(...problemsOf(parsed.error, 'value'));
  return parsed.success && problems.length === 0 ? { value: parsed.data } : { problems };
}

/** Whether the job's handler can go on with what the ledger has of an effect that happened. */
export function isReadable(jobType: string, effect: LedgerEffect & { value: unknown }): boolean {
  return toldOf(jobType, effect)?.value.safeParse(effect.value).success ?? true;
}

/** What must be told beside that it happened: what its reference is, and the fields that its intent does not have. */
export function missingOf(jobType: string, effect: LedgerEffect): { reference: string; fields: string[] } | undefined {
  const told = toldOf(jobType, effect);
  return told && { reference: told.field, fields: wantedFields(told, effect.intent) };
}

/** Where its provider keeps something else of an effect than the provider key. */
export function markOf({ intent, providerKey }: LedgerEffect & { providerKey: string }): string | undefined {
  return intent['provider'] === 'square' ? squareKey(providerKey) : undefined;
}

function wantedFields({ value, field }: ToldEffect, intent: Record<string, unknown>): string[] {
  return Object.keys(value.shape).filter((name) => name !== field && !(name in intent));
}

function referenceProblems({ field, prefixes }: ToldEffect, reference: string): Problem[] {
  if (
    prefixes.length === 0 ||
    prefixes.some((prefix) => reference.startsWith(prefix) && reference.length > prefix.length)
  )
    return [];
  return [{ path: 'reference', message: `is no ${field}: begins with none of ${prefixes.join(', ')}` }];
}

/** An amount that is not the one that was asked for, say, belongs to another effect. */
function unwantedFields(told: ToldEffect, intent: Record<string, unknown>, value: Record<string, unknown>): Problem[] {
  const wanted = wantedFields(told, intent);
  if (Object.keys(value).every((name) => wanted.includes(name))) return [];
  return [{ path: 'value', message: `may have nothing but ${wanted.join(', ') || 'no field at all'}` }];
}
