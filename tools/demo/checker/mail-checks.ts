/**
 * Did every paid order get its receipt, and nobody else one? The same receipt may come twice: whoever sent it could not know
 * whether the first had gone. That is no disagreement, but it is counted and shown.
 */
import type { Asked, Disagreement, Facts } from './facts';
import { groupBy } from './group';
import type { ProviderMail } from './ledgers';
import { mailResult, SALE_JOBS } from '../records';

export function checkMails(facts: Facts): Disagreement[] {
  const byJob = groupBy(facts.evidence.mails, ({ jobId }) => jobId ?? '');
  const owed = new Set<string>();
  const receipts = [...facts.paid].flatMap(([order, paid]) => {
    const job = facts.saleJob(paid, SALE_JOBS.receipt);
    if (!job?.jobId) return [];
    if (facts.jobsOf(order).size > 0) owed.add(job.jobId);
    return checkReceipt(paid, job.jobId, job.result, byJob.get(job.jobId) ?? []);
  });
  const strangers = facts.evidence.mails.filter(({ jobId }) => !owed.has(jobId ?? ''));
  return [
    ...receipts,
    ...strangers.map((mail) => ({ what: 'a mail for what was not paid', id: mail.messageId, detail: show(mail) })),
  ];
}

/** Mails beyond the first of each job. */
export function repeatedMails(mails: ProviderMail[]): number {
  return mails.length - new Set(mails.map(({ jobId }) => jobId)).size;
}

function checkReceipt({ record }: Asked, jobId: string, result: unknown, mails: ProviderMail[]): Disagreement[] {
  const found = (what: string, detail: string): Disagreement[] => [{ what, id: record.messageId, detail }];
  if (mails.length === 0) return found('a receipt without a mail', `job ${jobId}`);
  const wrong = mails.filter(({ to, text }) => to !== record.sale?.email || !text?.includes(record.order ?? ''));
  if (wrong.length > 0) return found('a wrong mail', wrong.map(show).join(', '));
  const named = mailResult.safeParse(result).data?.messageId;
  if (mails.some(({ messageId }) => messageId === named)) return [];
  return found('the outcome names another mail', `${named}, not ${mails.map(show).join(', ')}`);
}

function show({ messageId, jobId, to }: ProviderMail): string {
  return `${messageId} to ${to} (job ${jobId ?? 'unknown'})`;
}
