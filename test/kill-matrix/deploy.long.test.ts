import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { statusOf } from '../driver/deploying.ts';
import { eventually } from '../driver/fleet.ts';
import { sameGuest } from '../driver/images.ts';
import { seed } from '../driver/seed.ts';
import { injectFaults } from './rounds.ts';

/** A deploy takes about this long from its check to its end. */
const DEPLOY_MS = 3_500;
const ROUNDS = 8;

test(`Shoal is killed in the middle of a deploy: the next one brings it to its end, and all VMs are of one image (SHOAL_SEED=${seed})`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-deploy-kill-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const images = [sameGuest(folder, 'one'), sameGuest(folder, 'two')];
  const phases = new Set<string>();
  let round = 0;
  const sums = await injectFaults({
    rounds: ROUNDS,
    inject: async (run) => {
      const image = images[round++ % images.length] ?? '';
      const { exitCode, stderr } = await run.fleet.run('image', ['deploy', image, '--canary-time', '1']);
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
      // pause: until a random moment of the deploy
      await new Promise((resolve) => setTimeout(resolve, run.random(DEPLOY_MS)));
      phases.add((await statusOf(run.fleet)).deploy.phase);
      const isUp = run.history.outage();
      await run.fleet.kill();
      run.fleet = await run.fleet.resume();
      isUp();
      const end = await eventually('the deploy has ended', async () => {
        const status = await statusOf(run.fleet).catch(() => undefined);
        const isOne = status?.vms.every((row) => row.image === status.image) === true;
        return status !== undefined && status.deploy.ended_ms !== null && isOne ? status : undefined;
      });
      expect(end.deploy).toMatchObject({ phase: 'deployed' });
      expect(end.image).toBe(end.deploy.image);
    },
  });
  expect(phases.size, [...phases].join(', ')).toBeGreaterThan(1);
  // Requests that met the outage aside, all are answered.
  expect(sums.replied).toBeGreaterThan(sums.sent / 2);
});
