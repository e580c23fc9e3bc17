import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findFleet } from './find.ts';
import { temporaryData } from './testing/temporary-data.ts';

const RUNNING = { fleet: 'blue', nats: 'nats://127.0.0.1:4222', startedMs: 1 };

test('a Shoal that does not say where it serves is not taken for none', async () => {
  const data = await temporaryData();
  const find = (path = data.path) => findFleet({ data: path, nats: undefined, fleet: undefined });
  const silent = expect.objectContaining({
    code: 'FLEET_NOT_RUNNING',
    message: expect.stringMatching(new RegExp(`\\(pid ${process.pid}\\) does not say where it serves`)),
  });
  expect(() => find()).toThrow(silent);
  await data.announce(RUNNING);
  expect(find()).toEqual({ servers: RUNNING.nats, fleet: 'blue' });
  rmSync(join(data.path, 'running.json'));
  expect(() => find()).toThrow(silent);
  expect(() => find(join(data.path, 'none'))).toThrow(/^No Shoal runs on/);
});

test('another fleet than the named one is refused', async () => {
  const data = await temporaryData();
  await data.announce(RUNNING);
  const find = (fleet: string) => findFleet({ data: data.path, nats: undefined, fleet });
  expect(find('blue')).toMatchObject({ fleet: 'blue' });
  expect(() => find('red')).toThrow(
    expect.objectContaining({ code: 'FLEET_NOT_RUNNING', details: expect.objectContaining({ running: 'blue' }) }),
  );
});
