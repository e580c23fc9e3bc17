import { expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import { connect } from './connection.ts';
import { claimFleet } from './fleet-claim.ts';
import { realNatsServer } from './kit/mod.ts';

// This clock stands still, so only an answer can end the wait.
const untilAnswered = () => ({ clock: new ManualClock() });

async function connections(count: number) {
  const server = await realNatsServer();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const opened = await Promise.all(
    Array.from({ length: count }, (_, n) => connect({ servers: server.url, name: `claim-${n}`, noEcho: true })),
  );
  for (const one of opened) onTestFinished(() => one.close());
  return opened.map(({ nc }) => nc);
}

test('a fleet that nobody has is had at once, and nobody else gets it until it is released', async () => {
  const [first, second] = await connections(2);
  if (first === undefined || second === undefined) throw new Error('two connections');
  const claim = await claimFleet(first, 'f', untilAnswered());
  expect(claim).toBeDefined();
  expect(await claimFleet(second, 'f', untilAnswered())).toBeUndefined();
  expect(await claimFleet(second, 'other', untilAnswered())).toBeDefined();
  claim?.release();
  await first.flush();
  expect(await claimFleet(second, 'f', untilAnswered())).toBeDefined();
});

test('of many that claim a fleet at the same moment exactly one gets it', async () => {
  // A claim that only those heard who give way to it is answered by nobody: it waits.
  const waitMs = 5_000;
  const clients = await connections(8);
  for (let round = 0; round < 25; round++) {
    const claims = await Promise.all(clients.map((nc) => claimFleet(nc, `f${round}`, { waitMs: waitMs })));
    expect(claims.filter((claim) => claim !== undefined)).toHaveLength(1);
  }
});

test('what is no claim and no answer changes nothing', async () => {
  const [ours, other] = await connections(2);
  if (ours === undefined || other === undefined) throw new Error('two connections');
  const odd = ['', 'x', '0'.repeat(31), 'f'.repeat(1_000), 'TAKEN'];
  other.subscribe('shoal.f.claim', {
    callback: (_error, message) => {
      for (const text of odd) message.respond(text);
    },
  });
  await other.flush();
  const clock = new ManualClock();
  const claiming = claimFleet(ours, 'f', { clock, waitMs: 500 });
  await ours.flush();
  for (const text of odd) other.publish('shoal.f.claim', text);
  await other.flush();
  await ours.flush();
  await clock.advance(500);
  expect(await claiming).toBeDefined();
});
