import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { randomPool, TestFleet, temporaryFolder } from './driver/fleet.ts';
import { leftovers } from './driver/leftovers.ts';

const ROUNDS = 50;

test(`${ROUNDS} rounds of up and down leave no process, socket, file or port`, async () => {
  const data = temporaryFolder();
  const pool = randomPool(3);
  for (let round = 0; round < ROUNDS; round++) {
    const fleet = await TestFleet.start({ data, pool, flags: ['--min', '2'] });
    expect(await fleet.run('send', [`round ${round}`])).toMatchObject({ stdout: `ROUND ${round}\n` });
    expect(await fleet.stop(round % 2 === 0 ? 'SIGINT' : 'SIGTERM')).toMatchObject({ exitCode: 0, signal: null });
    expect(leftovers(fleet), `after round ${round}`).toEqual({ processes: [], runDirectories: [], ports: [] });
  }
  rmSync(data, { recursive: true });
});
