/** Our own nats-server when another program has its port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'nats';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../src/actors/mod.ts';
import { signalProcess, whenGone } from '../src/process/mod.ts';
import { findNatsServer } from '../src/transport/mod.ts';
import { willEnd } from './driver/end-left.ts';
import { eventually, randomPool, TestFleet, temporaryFolder } from './driver/fleet.ts';
import { launcherOf, processesOf } from './driver/processes.ts';
import { ShoalProcess, shoal } from './driver/shoal-process.ts';

const GONE_MS = 10_000;

test('a fleet whose NATS port another server took does not serve there, waits, and goes on where clients look', async () => {
  const place = { data: temporaryFolder(), pool: randomPool(2) };
  willEnd(place);
  const up = new ShoalProcess(['up', '--plain', '--data', place.data, '--pool', place.pool]);
  await up.stderrHas(/^Ready: /m);
  const url = /nats-server runs at (\S+)/.exec(up.stderr)?.[1] ?? '';
  const launcher = launcherOf(up);
  const server = processesOf(place).find(({ kind }) => kind === 'nats-server')?.identity;
  if (launcher === undefined || server === undefined) throw new Error('they run');
  // The news of the death waits until the port is another's.
  signalProcess(launcher, 'SIGSTOP');
  signalProcess(server, 'SIGKILL');
  await whenGone(server, GONE_MS, systemClock);
  const other = await otherServer(url);
  const stranger = await connect({ servers: url });
  // Until it hears of the death, it takes the other server for its own.
  await eventually('the fleet has found the other server', () =>
    stranger.request('shoal.default.process', 'text', { timeout: 5_000 }).catch(() => undefined),
  );
  signalProcess(launcher, 'SIGCONT');
  await up.stderrHas(/another program has its port \d+: nobody can send requests/);

  await expect(stranger.request('shoal.default.process', 'text', { timeout: 5_000 })).rejects.toMatchObject({
    code: '503',
  });
  await stranger.close();

  other.kill('SIGKILL');
  await up.stderrHas(/nats-server runs again at /);
  expect(up.stderr).toContain(`nats-server runs again at ${url} `);
  await eventually('requests are answered again', async () => {
    const { stdout } = await shoal(['send', '--data', place.data, 'back']);
    return stdout === 'BACK\n' ? true : undefined;
  });
  up.signal('SIGINT');
  expect(await up.finished).toMatchObject({ exitCode: 0 });
});

test('a port that was lost while no Shoal ran is named at the next start', async () => {
  const fleet = await TestFleet.start();
  await fleet.kill();
  const server = processesOf(fleet).find(({ kind }) => kind === 'nats-server')?.identity;
  if (server === undefined) throw new Error('it runs');
  signalProcess(server, 'SIGKILL');
  await whenGone(server, GONE_MS, systemClock);
  await otherServer(fleet.ready.nats);
  const up = new ShoalProcess(['up', '--plain', '--data', fleet.data]);
  await up.stderrHas(/^Ready: /m);
  expect(up.stderr).toMatch(/its port \d+ of the last time is another program's/);
  expect((await fleet.run('send', ['there'])).stdout).toBe('THERE\n');
  up.signal('SIGINT');
  expect(await up.finished).toMatchObject({ exitCode: 0 });
});

/** A nats-server of somebody else at that address. */
async function otherServer(url: string): Promise<ChildProcess> {
  const { hostname, port } = new URL(url);
  const other = spawn(findNatsServer(), ['-a', hostname, '-p', port], { stdio: 'ignore' });
  onTestFinished(() => {
    other.kill('SIGKILL');
  });
  await eventually('it serves', async () => {
    const client = await connect({ servers: url, reconnect: false }).catch(() => undefined);
    await client?.close();
    return client;
  });
  return other;
}
