import { expect, test } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import { type PermissionNotice, PermissionNotices } from './permission-notices.ts';

function made() {
  const clock = new ManualClock();
  const told: PermissionNotice[] = [];
  const notices = new PermissionNotices(
    clock,
    () => 'nats://h:4222',
    (notice) => told.push(notice),
  );
  return { clock, told, notices };
}

test('the first violation is told at once, and a minute later how many there were since', async () => {
  const { clock, told, notices } = made();
  for (let reply = 0; reply < 50; reply++) notices.add({ operation: 'publish', subject: `_INBOX.a.${reply}` });
  expect(told).toMatchObject([{ subject: '_INBOX.a.0', count: 1 }]);
  await clock.advance(60_000);
  notices.add({ operation: 'publish', subject: '_INBOX.b.1' });
  expect(told).toMatchObject([{ count: 1 }, { subject: '_INBOX.b.1', count: 50 }]);
});

test('each subject of ours is told for itself, and each operation', () => {
  const { told, notices } = made();
  for (const subject of ['shoal.f.process', 'shoal.f.admin.*', '_INBOX.a']) {
    notices.add({ operation: 'publish', subject });
    notices.add({ operation: 'subscription', subject });
  }
  expect(told).toHaveLength(6);
});

test('subjects that clients make up are no more notices than there is room for', () => {
  const { told, notices } = made();
  for (let kind = 0; kind < 1_000; kind++) notices.add({ operation: 'publish', subject: `inbox${kind}.1` });
  expect(told.length).toBeLessThan(100);
});

test('after a reconnect all is told anew', () => {
  const { told, notices } = made();
  notices.add({ operation: 'publish', subject: 'shoal.f.events' });
  notices.reset();
  notices.add({ operation: 'publish', subject: 'shoal.f.events' });
  expect(told).toHaveLength(2);
});
