import { StartTokens } from '../../../src/execution/start-tokens';
import { StartUndoneError } from '../../../src/jobs/start';

let made = 0;
const newTokens = () => new StartTokens(() => `token-${(made += 1)}`);
const lose = (used: string[]) => (token: string) => {
  used.push(token);
  return Promise.reject(new Error('the answer was lost'));
};

beforeEach(() => {
  made = 0;
});

it('a start that was answered is followed by one with another token', async () => {
  const tokens = newTokens();
  const used = [await tokens.use('job', (token) => Promise.resolve(token))];
  used.push(await tokens.use('job', (token) => Promise.resolve(token)));
  expect(used).toEqual(['token-1', 'token-2']);
});

it('a start whose answer was lost is made again with its token, that of another job is not', async () => {
  const tokens = newTokens();
  const used: string[] = [];
  await expect(tokens.use('job', lose(used))).rejects.toThrow('lost');
  await expect(tokens.use('other', lose(used))).rejects.toThrow('lost');
  await expect(tokens.use('job', lose(used))).rejects.toThrow('lost');
  expect(await tokens.use('job', (token) => Promise.resolve(token))).toBe('token-1');
  expect(await tokens.use('job', (token) => Promise.resolve(token))).toBe('token-3');
  expect(used).toEqual(['token-1', 'token-2', 'token-1']);
});

it('a start that took effect and was taken back is followed by one with another token', async () => {
  const tokens = newTokens();
  const undone = new StartUndoneError(new Error('the database is away'));
  await expect(tokens.use('job', () => Promise.reject(undone))).rejects.toThrow('the database is away');
  expect(await tokens.use('job', (token) => Promise.resolve(token))).toBe('token-2');
});

it('two starts of a job at the same time have different tokens', async () => {
  const tokens = newTokens();
  await expect(tokens.use('job', lose([]))).rejects.toThrow('lost');
  const both = [1, 2].map(() => tokens.use('job', (token) => Promise.resolve(token)));
  expect(new Set(await Promise.all(both)).size).toBe(2);
});

it('remembers a bounded number of them, the latest ones', async () => {
  const tokens = newTokens();
  for (let job = 0; job <= 10_000; job += 1) await expect(tokens.use(`${job}`, lose([]))).rejects.toThrow('lost');
  expect(await tokens.use('0', (token) => Promise.resolve(token))).toBe('token-10002');
  expect(await tokens.use('1', (token) => Promise.resolve(token))).toBe('token-2');
});
