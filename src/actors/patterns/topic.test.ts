import { describe, expect, it } from 'vitest';
import { type TestKit, testKit } from '../kit/mod.ts';
import type { TopicMessage } from '../mod.ts';
import { topic } from '../mod.ts';

type Order = { readonly kind: 'paid'; readonly id: number } | { readonly kind: 'sent'; readonly id: number };
type Paid = Extract<Order, { kind: 'paid' }>;

const orders = (kit: TestKit) => kit.system.spawn(topic<Order>(), { name: 'orders' });
const paid = (id: number): Order => ({ kind: 'paid', id });
const sent = (id: number): Order => ({ kind: 'sent', id });
const publish = (message: Order): TopicMessage<Order> => ({ kind: 'publish', message });

describe('a topic', () => {
  it('sends what is published to all subscribers, in order, once each', async () => {
    await using kit = testKit({ copyMessages: true });
    const ref = orders(kit);
    const [p, q] = [kit.probe<Order>(), kit.probe<Order>()];
    ref.tell({ kind: 'subscribe', subscriber: p.ref });
    ref.tell({ kind: 'subscribe', subscriber: p.ref });
    ref.tell(publish(paid(1)));
    ref.tell({ kind: 'subscribe', subscriber: q.ref });
    ref.tell(publish(sent(2)));
    ref.tell({ kind: 'unsubscribe', subscriber: p.ref });
    ref.tell(publish(paid(3)));
    await kit.settle();
    expect(p.received).toEqual([paid(1), sent(2)]);
    expect(q.received).toEqual([sent(2), paid(3)]);
  });

  it('sends only the kinds that a subscriber has named', async () => {
    await using kit = testKit();
    const ref = orders(kit);
    const [p, q, both] = [kit.probe<Paid>(), kit.probe<Order>(), kit.probe<Order>()];
    ref.tell({ kind: 'subscribe', subscriber: p.ref, of: 'paid' });
    ref.tell({ kind: 'subscribe', subscriber: q.ref, of: 'sent' });
    for (const of of ['paid', 'sent'] as const) ref.tell({ kind: 'subscribe', subscriber: both.ref, of });
    for (const message of [paid(1), sent(2)]) ref.tell(publish(message));
    ref.tell({ kind: 'subscribe', subscriber: q.ref });
    ref.tell(publish(paid(3)));
    await kit.settle();
    expect(p.received).toEqual([paid(1), paid(3)]);
    expect(q.received).toEqual([sent(2), paid(3)]);
    expect(both.received).toEqual([paid(1), sent(2), paid(3)]);
  });

  it('forgets a subscriber that ends, also if it is restarted: it subscribes anew', async () => {
    await using kit = testKit();
    const ref = orders(kit);
    const seen: Order[] = [];
    const parent = kit.system.spawn<'restart'>((context) => {
      let starts = 0;
      const child = context.spawn<Order>((inner) => {
        starts += 1;
        if (starts !== 2) ref.tell({ kind: 'subscribe', subscriber: inner.self });
        return (message) => void seen.push(message);
      });
      return async () => {
        await context.stop(child);
        await context.restart(child);
      };
    });
    for (const id of [1, 2, 3]) {
      ref.tell(publish(paid(id)));
      await kit.settle();
      parent.tell('restart');
      await kit.settle();
    }
    expect(seen).toEqual([paid(1), paid(3)]);
    expect(kit.system.deadLetters.latest()).toEqual([
      { from: '-', to: '/orders', message: paid(2), why: 'no-subscriber' },
    ]);
  });

  it('makes a dead letter of what nobody has subscribed to, with its publisher', async () => {
    await using kit = testKit();
    const ref = orders(kit);
    ref.tell({ kind: 'subscribe', subscriber: kit.probe<Order>().ref, of: 'sent' });
    const publisher = kit.system.spawn<Order>(() => (order) => void ref.tell(publish(order)), { name: 'publisher' });
    publisher.tell(paid(1));
    await kit.settle();
    expect(kit.system.deadLetters.latest()).toEqual([
      { from: '/publisher', to: '/orders', message: paid(1), why: 'no-subscriber' },
    ]);
  });

  it('leaves a message that one subscriber does not take to the rule of its mailbox', async () => {
    await using kit = testKit();
    const ref = orders(kit);
    const p = kit.probe<Order>();
    const full = kit.system.spawn<Order>(() => () => undefined, { name: 'full', capacity: 1 });
    ref.tell({ kind: 'subscribe', subscriber: full });
    ref.tell({ kind: 'subscribe', subscriber: p.ref });
    for (const id of [1, 2]) ref.tell(publish(paid(id)));
    await kit.settle();
    expect(p.received).toEqual([paid(1), paid(2)]);
    expect(kit.system.deadLetters.latest()).toEqual([
      { from: '/orders', to: '/full', message: paid(2), why: 'mailbox-full' },
    ]);
  });

  it('takes messages of any type', async () => {
    await using kit = testKit();
    const ref = kit.system.spawn(topic<number>());
    const p = kit.probe<number>();
    ref.tell({ kind: 'subscribe', subscriber: p.ref });
    ref.tell({ kind: 'publish', message: 1 });
    await p.expect((n) => n === 1);
  });

  it('leaves one that has subscribed to everything with everything', async () => {
    await using kit = testKit();
    const ref = orders(kit);
    const p = kit.probe<Order>();
    ref.tell({ kind: 'subscribe', subscriber: p.ref });
    ref.tell({ kind: 'subscribe', subscriber: p.ref, of: 'paid' });
    for (const message of [paid(1), sent(2)]) ref.tell(publish(message));
    await kit.settle();
    expect(p.received).toEqual([paid(1), sent(2)]);
  });

  it('does not watch those that have unsubscribed', async () => {
    await using kit = testKit();
    const ref = orders(kit);
    const p = kit.probe<Order>();
    ref.tell({ kind: 'subscribe', subscriber: p.ref });
    ref.tell({ kind: 'unsubscribe', subscriber: p.ref });
    await kit.settle();
    await kit.system.stop(p.ref);
    await kit.settle();
    expect(kit.system.tree().children.find(({ path }) => path === ref.path)?.handled).toBe(2);
  });
});
