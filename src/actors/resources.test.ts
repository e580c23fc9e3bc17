import { expect, it } from 'vitest';
import type { Cell } from './cell.ts';
import type { ReplyRef } from './reply-ref.ts';
import { Resources } from './resources.ts';

/** An ask that can be settled. */
function asked() {
  let settled = (): void => undefined;
  let fails = 0;
  const replyTo = {
    onSettled(listener: () => void) {
      settled = listener;
    },
    fail: () => {
      fails += 1;
    },
  };
  // Resources use nothing else of it.
  return { replyTo: replyTo as unknown as ReplyRef<never>, settle: () => settled(), fails: () => fails };
}

it('an ask that has its reply is not kept', () => {
  // As above.
  const cell = { path: '/a' } as Cell<never>;
  const resources = new Resources<never>(cell, { post: () => undefined });
  const [done, open] = [asked(), asked()];
  resources.addAsk(done.replyTo);
  resources.addAsk(open.replyTo);
  done.settle();
  resources.cancelAll();
  expect([done.fails(), open.fails()]).toEqual([0, 1]);
});
