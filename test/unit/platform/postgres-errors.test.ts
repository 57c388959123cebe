import { z } from 'zod';
import { CommitUnknownError } from '../../../src/platform/postgres/database';
import { isRefusal, isRetryableConflict, isUnavailable } from '../../../src/platform/postgres/errors';
import { TimeoutError } from '../../../src/platform/time';
import { UnavailableError } from '../../../src/platform/unavailable';

/** An error as the driver makes it of a server's answer. */
function refusal(code: string): Error {
  return Object.assign(new Error('refused'), { code, severity: 'ERROR' });
}

describe('an error of PostgreSQL', () => {
  it.each(['22P02', '22P05', '22021', '22003', '23514', '23502', '54000'])('%s is about the values', (code) => {
    expect(isUnavailable(refusal(code))).toBe(false);
    expect(isRefusal(refusal(code))).toBe(true);
  });

  it.each([
    ['08006', 'connection'],
    ['53300', 'too many connections'],
    ['57P01', 'shutdown'],
    ['57014', 'time-out'],
    ['25006', 'read-only'],
    ['42P01', 'a table that is not there yet'],
    ['42703', 'a column that is not there yet'],
    ['42501', 'a missing permission'],
    ['28P01', 'a changed password'],
    ['40P01', 'deadlock'],
    ['XX000', 'internal'],
  ])('%s (%s) is not', (code) => {
    expect(isUnavailable(refusal(code))).toBe(true);
  });

  it('is none when it was not reached, did not answer in time, or the answer to COMMIT was lost', () => {
    for (const error of [new UnavailableError('reset'), new TimeoutError('late'), new CommitUnknownError('lost')]) {
      expect(isUnavailable(error)).toBe(true);
      expect(isRefusal(error)).toBe(false);
    }
  });

  it.each([
    ['an unexpected type', new TypeError('undefined is not a function')],
    ['something that is not as it should be', z.object({}).safeParse(1).error],
    ['anything without a known cause', new Error('cannot be')],
  ])('is none when our own code is at fault: %s', (_what, fault) => {
    expect(isUnavailable(fault)).toBe(false);
    expect(isRefusal(fault)).toBe(false);
  });

  it('is worth another try after a deadlock', () => {
    expect(isRetryableConflict(refusal('40P01'))).toBe(true);
    expect(isRetryableConflict(refusal('23505'))).toBe(false);
  });
});
