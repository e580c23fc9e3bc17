import { expect, test } from 'vitest';
import { connect } from './connection.ts';
import { realNatsServer } from './kit/mod.ts';
import { publishWhileOpen } from './publish-while-open.ts';

test('what is published while the connection is being closed, and after that, is told to nobody, and fails nobody', async () => {
  await using server = await realNatsServer();
  const [one, other] = await Promise.all(['one', 'other'].map((name) => connect({ servers: server.url, name })));
  if (one === undefined || other === undefined) throw new Error('two connections');
  const heard: string[] = [];
  other.nc.subscribe('news', { callback: (_, message) => void heard.push(message.string()) });
  await other.nc.flush();
  publishWhileOpen(one.nc, 'news', 'open');
  await one.nc.flush();
  const drained = one.nc.drain();
  let isOver = false;
  void drained.finally(() => {
    isOver = true;
  });
  // Each turn of the event loop, from the first word of the end to the last.
  while (!isOver) {
    publishWhileOpen(one.nc, 'news', 'closing');
    await new Promise((resolve) => setImmediate(resolve));
  }
  publishWhileOpen(one.nc, 'news', 'closed');
  await other.nc.flush();
  expect(heard[0]).toBe('open');
  expect(heard).not.toContain('closed');
  expect(() => publishWhileOpen(other.nc, 'news', 'x'.repeat(2_000_000))).toThrow('MAX_PAYLOAD_EXCEEDED');
  await other.close();
});
