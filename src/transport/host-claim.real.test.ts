import { expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import { connect } from './connection.ts';
import { claimHostName } from './host-claim.ts';
import { realNatsServer } from './kit/mod.ts';

// This clock stands still, so only an answer can end the wait.
const untilAnswered = (about = '') => ({ clock: new ManualClock(), about });
const TAKEN = { kind: 'taken', by: 'the first' };

async function connections(count: number) {
  const server = await realNatsServer();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const opened = await Promise.all(
    Array.from({ length: count }, (_, n) => connect({ servers: server.url, name: `claim-${n}`, noEcho: true })),
  );
  for (const one of opened) onTestFinished(() => one.close());
  return opened.map(({ nc }) => nc);
}

test('a name that nobody has is had at once, and nobody else gets it until it is released', async () => {
  const [first, second] = await connections(2);
  if (first === undefined || second === undefined) throw new Error('two connections');
  const claim = await claimHostName(first, 'f', 'a', untilAnswered('the first'));
  expect(await claimHostName(second, 'f', 'a', untilAnswered())).toEqual(TAKEN);
  expect(await claimHostName(second, 'f', 'b', untilAnswered())).toMatchObject({ kind: 'ours' });
  expect(await claimHostName(second, 'other', 'a', untilAnswered())).toMatchObject({ kind: 'ours' });
  if (claim.kind === 'ours') claim.release();
  await first.flush();
  expect(await claimHostName(second, 'f', 'a', untilAnswered())).toMatchObject({ kind: 'ours' });
});

test('of many that claim a name at the same moment exactly one gets it, and the others learn of one that was before them', async () => {
  // A claim that only those heard who give way to it is answered by nobody: it waits.
  const waitMs = 5_000;
  const clients = await connections(8);
  for (let round = 0; round < 25; round++) {
    const claims = await Promise.all(
      clients.map((nc, n) => claimHostName(nc, `f${round}`, 'a.b', { waitMs, about: `host ${n}` })),
    );
    const takers = claims.flatMap((claim, n) => (claim.kind === 'ours' ? [n] : []));
    expect(takers).toHaveLength(1);
    for (const [n, claim] of claims.entries()) {
      if (claim.kind === 'taken') expect([n, claim.by]).toEqual([n, expect.stringMatching(/^host \d$/)]);
      if (claim.kind === 'taken') expect(claim.by).not.toBe(`host ${n}`);
    }
  }
});

test('what is no claim and no answer changes nothing', async () => {
  const [ours, other] = await connections(2);
  if (ours === undefined || other === undefined) throw new Error('two connections');
  const id = '0'.repeat(32);
  const words = [{ kind: 'claim', id }, { kind: 'claim', id: 'x', about: '' }, { kind: 'no', id, about: '' }, null, 7];
  const odd = ['', 'x', '{', ...words.map((word) => JSON.stringify(word)), 'f'.repeat(2_000)];
  const long = JSON.stringify({ kind: 'taken', id, about: 'x'.repeat(300) });
  other.subscribe('shoal.f.claim.a', {
    callback: (_error, message) => {
      for (const text of [...odd, long]) message.respond(text);
    },
  });
  await other.flush();
  const clock = new ManualClock();
  const claiming = claimHostName(ours, 'f', 'a', { clock, waitMs: 500 });
  await ours.flush();
  for (const text of odd) other.publish('shoal.f.claim.a', text);
  await other.flush();
  await ours.flush();
  await clock.advance(500);
  expect(await claiming).toMatchObject({ kind: 'ours' });
});

test('a host that stands still does not keep its name', async () => {
  const [still, other] = await connections(2);
  if (still === undefined || other === undefined) throw new Error('two connections');
  still.subscribe('shoal.f.claim.a', { callback: () => undefined });
  await still.flush();
  const clock = new ManualClock();
  const claiming = claimHostName(other, 'f', 'a', { clock, waitMs: 500 });
  await other.flush();
  await clock.advance(500);
  expect(await claiming).toMatchObject({ kind: 'ours' });
});
