import { TimeoutError } from '../../../src/platform/time';
import { UnavailableError } from '../../../src/platform/unavailable';
import { answerFromError } from '../../../src/providers/analytics-store/errors';

function refusal(code: string): Error {
  return Object.assign(new Error('invalid input: "a secret value"'), { code, severity: 'ERROR' });
}

describe('what PostgreSQL says about an analytics event', () => {
  it.each([
    ['22P05', 'declined', 'NOT_STORABLE'],
    ['22003', 'declined', 'NOT_STORABLE'],
    ['40P01', 'refused', 'ANALYTICS_STORE_UNAVAILABLE'],
    ['25006', 'refused', 'ANALYTICS_STORE_UNAVAILABLE'],
    ['42P01', 'refused', 'ANALYTICS_STORE_UNAVAILABLE'],
    ['57P01', 'refused', 'ANALYTICS_STORE_UNAVAILABLE'],
  ])('%s: %s', (state, kind, code) => {
    expect(answerFromError(refusal(state))).toMatchObject({ kind, code });
  });

  it('names the state and repeats no value', () => {
    const answer = JSON.stringify(answerFromError(refusal('22P05')));
    expect(answer).toContain('22P05');
    expect(answer).not.toContain('secret');
  });

  it.each([
    ['nothing in time', new TimeoutError('took longer')],
    ['a line that broke', new UnavailableError('PostgreSQL did not answer')],
  ])('%s: nobody knows', (_what, error) => {
    expect(answerFromError(error)).toMatchObject({ kind: 'unknown', code: 'ANALYTICS_STORE_SILENT' });
  });

  it('a fault in this program is not taken for an answer', () => {
    const fault = new TypeError('undefined is not a function');
    expect(() => answerFromError(fault)).toThrow(fault);
  });
});
