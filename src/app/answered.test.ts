import { expect, it } from 'vitest';
import { AnsweredRequests } from './answered-requests.ts';

it('the requests that were answered are known, but for the oldest of very many', () => {
  const answered = new AnsweredRequests();
  for (let id = 0; id < 20_000; id++) answered.add(`r${id}`);
  expect(answered.has('r19999')).toBe(true);
  expect(answered.has('r10000')).toBe(true);
  expect(answered.has('r9999')).toBe(false);
  expect(answered.has('other')).toBe(false);
});

it('a request that was answered again is among the latest', () => {
  const answered = new AnsweredRequests();
  for (let id = 0; id < 10_000; id++) answered.add(`r${id}`);
  answered.add('r0');
  answered.add('new');
  expect(answered.has('r0')).toBe(true);
  expect(answered.has('r1')).toBe(false);
});
