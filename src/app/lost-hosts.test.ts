import { expect, test } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import { ShoalError, toEnvelope } from '../errors.ts';
import { HAS_LEFT, type HostEvent } from '../remote/mod.ts';
import { LostHosts } from './lost-hosts.ts';

const MINUTE_MS = 60_000;
const up = (host: string): HostEvent => ({ kind: 'host-up', host, incarnation: 'i' });
const lost = (host: string, why = 'silent'): HostEvent => {
  const error = toEnvelope(new ShoalError('HOST_LOST', `Host ${host} is lost: ${why}`, { details: { why } }));
  return { kind: 'host-lost', host, incarnation: 'i', error };
};

test('a host that was lost is named until it is back, or for ten minutes; one that has left is not', async () => {
  const clock = new ManualClock();
  const hosts = new LostHosts(clock);
  for (const event of [lost('a'), lost('b'), lost('c', HAS_LEFT)]) hosts.see(event);
  expect(hosts.names).toEqual(['a', 'b']);
  hosts.see(up('a'));
  expect(hosts.names).toEqual(['b']);
  await clock.advance(9 * MINUTE_MS);
  expect(hosts.names).toEqual(['b']);
  await clock.advance(MINUTE_MS);
  expect(hosts.names).toEqual([]);
});

test('a host that was lost and then left for good is not named', () => {
  const hosts = new LostHosts(new ManualClock());
  for (const event of [lost('a'), lost('a', HAS_LEFT)]) hosts.see(event);
  expect(hosts.names).toEqual([]);
});
