import { expect, it } from 'vitest';
import { Marks } from './marks.ts';
import { Notice } from './notice.ts';

it('an actor remembers cancelled timers and watches only as long as their messages may wait', () => {
  const marks = new Marks();
  const notice = new Notice({ path: '/a' });
  marks.revoke(notice);
  expect(marks.endTurn(true)).toBe(true);
  expect([marks.next(notice), marks.next(undefined)]).toEqual([false, true]);
  expect(marks.endTurn(false)).toBe(false);
});

it('a message that is stashed after the turn is another one', () => {
  const marks = new Marks();
  marks.revoke(new Notice({ path: '/a' }));
  expect([marks.noteStashed(), marks.noteStashed()]).toEqual([true, false]);
  expect(marks.endTurn(true)).toBe(true);
  expect(marks.noteStashed()).toBe(true);
});
