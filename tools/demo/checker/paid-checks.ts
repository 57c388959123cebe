/** Was everything said to be paid that was, and did each of the jobs that follow come to its end? */
import type { Asked, Disagreement, Facts } from './facts';
import { SALE_JOBS, type OutcomeEvent } from '../records';

export function checkPaid(facts: Facts): Disagreement[] {
  return [...checkTold(facts), ...checkUnpaid(facts), ...[...facts.paid.values()].flatMap(checkJobs)];
}

function checkTold(facts: Facts): Disagreement[] {
  return [...facts.orders.keys()].flatMap((order) => {
    if (facts.jobsOf(order).size === 0 || facts.paid.has(order)) return [];
    return [{ what: 'paid, but nobody was told', id: order, detail: 'there is no order.paid' }];
  });
}

function checkUnpaid(facts: Facts): Disagreement[] {
  return [...facts.paid].flatMap(([order, { record }]) => {
    if (facts.jobsOf(order).size > 0) return [];
    return [{ what: 'told as paid, but not paid', id: record.messageId, detail: `order ${order}` }];
  });
}

/** Each kind of job has one answer, and it is that the job is done. */
function checkJobs({ record, answers }: Asked): Disagreement[] {
  const found = (what: string, detail: string): Disagreement[] => [{ what, id: record.messageId, detail }];
  const types: string[] = Object.values(SALE_JOBS);
  const strangers = answers.filter(({ data }) => !types.includes(data.type));
  return [
    ...strangers.flatMap((event) => found('wrong answer', describe(event))),
    ...types.flatMap((type) => {
      const own = answers.filter(({ data }) => data.type === type && data.outcome !== 'attention');
      if (own.length === 0) return found('confirmed, but not answered', `order.paid: no end of ${type}`);
      if (own.length === 1 && own[0]?.data.outcome === 'completed') return [];
      return found('wrong answer', `order.paid: ${own.map(describe).join(', ')} instead of one ${type} completed`);
    }),
  ];
}

function describe({ data }: OutcomeEvent): string {
  return `${data.type} ${data.outcome}${data.error === null ? '' : ` (${data.error.code})`}`;
}
