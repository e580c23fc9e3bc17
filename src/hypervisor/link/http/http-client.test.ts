import { expect, it } from 'vitest';
import { ManualClock } from '../../../actors/kit/mod.ts';
import { HttpGuest } from '../testing/fake-guest.ts';
import { HttpClient } from './http-client.ts';

const TIMEOUT_MS = 500;
const TYPE = 'text/plain';

function bench(): { guest: HttpGuest; client: HttpClient; clock: ManualClock } {
  const guest = new HttpGuest();
  const clock = new ManualClock();
  guest.up();
  return { guest, clock, client: new HttpClient(() => guest.connect(), 1_000, clock) };
}

it('asks over a new connection once the guest has closed the last', async () => {
  const { guest, client, clock } = bench();
  guest.keepsAlive = false;
  for (const attempts of [1, 2]) {
    const answer = client.get('/', TIMEOUT_MS).catch((error: unknown) => error);
    await clock.advance(TIMEOUT_MS);
    expect(await answer).toMatchObject({ status: 200 });
    expect(guest.attempts).toBe(attempts);
  }
  client.close();
});

it('sends no text twice, because it may have been worked on; a probe it does', async () => {
  const { guest, client, clock } = bench();
  await client.get('/', TIMEOUT_MS);
  const posted = client.post('upper', TYPE, Buffer.from('text'), TIMEOUT_MS).catch((error: unknown) => error);
  expect(guest.got).toHaveLength(1);
  guest.got[0]?.hangUp('reset');
  await clock.advance(TIMEOUT_MS);
  expect(await posted).toMatchObject({ code: 'LINK_LOST', details: { why: 'reset' } });
  expect([guest.got.length, guest.attempts]).toEqual([1, 1]);
  await client.get('/', TIMEOUT_MS);
  guest.answers = false;
  const probed = client.get('/again', TIMEOUT_MS);
  guest.answers = true;
  guest.hangUpAll('closed at rest');
  expect(await probed).toMatchObject({ status: 200 });
  expect(guest.probed.slice(-2)).toEqual(['/again', '/again']);
  client.close();
});
