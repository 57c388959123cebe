import { readArguments } from '../../../src/recovery/doubt-arguments';

const JOB = '01933f6e-0000-7000-8000-000000000000';
const SIGNED = ['--by', 'op-7', '--reason', 'seen in the dashboard'];
const signed = { by: 'op-7', reason: 'seen in the dashboard' };

describe('settle', () => {
  it.each([
    ['--happened pi_1', { said: 'happened', effect: undefined, reference: 'pi_1', value: {} }],
    [
      '--effect charge --happened pi_1 --value {"chargeId":"ch_1"}',
      { said: 'happened', effect: 'charge', reference: 'pi_1', value: { chargeId: 'ch_1' } },
    ],
    ['--not-happened --retry', { said: 'notHappened', effect: undefined, next: 'retry' }],
    ['--not-happened --fail --effect fee', { said: 'notHappened', effect: 'fee', next: 'fail' }],
    ['--retry', { said: 'nothing', next: 'retry' }],
    ['--fail', { said: 'nothing', next: 'fail' }],
  ])('%s is a decision', (options, decision) => {
    expect(readArguments([JOB, ...options.split(' '), ...SIGNED])).toEqual({
      kind: 'settle',
      jobId: JOB,
      decision: { ...signed, ...decision },
    });
  });

  it('without a decision shows the job, and helps when asked', () => {
    expect(readArguments([JOB])).toEqual({ kind: 'show', jobId: JOB });
    expect(readArguments([JOB, '--help'])).toEqual({ kind: 'help' });
    expect(readArguments(['--help'])).toEqual({ kind: 'help' });
  });

  it.each([
    ['no job', SIGNED, /name one job/],
    ['no id', ['job-1', '--retry', ...SIGNED], /name one job/],
    ['two jobs', [JOB, JOB, '--retry', ...SIGNED], /name one job/],
    ['nobody who decides', [JOB, '--retry', '--reason', 'r'], /--by must be given/],
    ['no reason', [JOB, '--retry', '--by', 'b', '--reason', ' '], /--reason must be given/],
    ['a reason alone', [JOB, ...SIGNED], /say --happened, or what is next/],
    ['not happened, and then?', [JOB, '--not-happened', ...SIGNED], /either --retry or --fail/],
    ['both ends', [JOB, '--not-happened', '--retry', '--fail', ...SIGNED], /either --retry or --fail/],
    ['both verdicts', [JOB, '--happened', 'pi_1', '--not-happened', ...SIGNED], /--happened decides everything/],
    ['an end for what happened', [JOB, '--happened', 'pi_1', '--fail', ...SIGNED], /--happened decides everything/],
    ['no reference', [JOB, '--happened', '', ...SIGNED], /--happened must be given/],
    ['a value of nothing', [JOB, '--not-happened', '--fail', '--value', '{}', ...SIGNED], /belongs to --happened/],
    ['no JSON', [JOB, '--happened', 'pi_1', '--value', 'ch_1', ...SIGNED], /object in JSON/],
    ['a list', [JOB, '--happened', 'pi_1', '--value', '[1]', ...SIGNED], /object in JSON/],
    ['an effect without a verdict', [JOB, '--retry', '--effect', 'charge', ...SIGNED], /--effect belongs to/],
    ['an unknown option', [JOB, '--force', ...SIGNED], /--force/],
  ])('refuses %s', (_, args, problem) => {
    expect(readArguments(args)).toEqual({ kind: 'wrong', problem: expect.stringMatching(problem) });
  });
});
