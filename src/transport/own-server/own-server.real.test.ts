import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../actors/mod.ts';
import {
  bootId,
  createLauncher,
  identify,
  isAlive,
  type ProcessIdentity,
  signalProcess,
  whenGone,
} from '../../process/mod.ts';
import { connect } from '../connection.ts';
import { directSpawner } from '../kit/mod.ts';
import { type OwnServer, type OwnServerOptions, startOwnServer } from './own-server.ts';
import { readState, writeState } from './state.ts';

const GONE_MS = 5_000;

let directory: string;
/** Ended after each test, whatever it came to. */
let started: ProcessIdentity[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shoal-own-'));
  started = [];
});

afterEach(async () => {
  for (const process of started) {
    signalProcess(process, 'SIGKILL');
    await whenGone(process, GONE_MS, systemClock);
  }
  await rm(directory, { recursive: true });
});

async function start(options: Partial<OwnServerOptions> = {}): Promise<OwnServer> {
  const server = await startOwnServer({
    directory,
    spawner: directSpawner(),
    preferredPort: 0,
    jetStream: false,
    ...options,
  });
  started.push(server.process);
  return server;
}

/** What is left of a Shoal that was killed: its server runs, and nobody looks after it. */
async function abandoned(options: Partial<OwnServerOptions> = {}): Promise<OwnServer> {
  const server = await start(options);
  server.leave();
  return server;
}

/** A letter a thread: each stops when it next looks, and until the last has done so the server may still answer. */
async function threadStates({ pid }: ProcessIdentity): Promise<string> {
  const tasks = await readdir(`/proc/${pid}/task`);
  const stats = await Promise.all(tasks.map((task) => readFile(`/proc/${pid}/task/${task}/stat`, 'latin1')));
  return stats.map((text) => text.charAt(text.lastIndexOf(')') + 2)).join('');
}

async function stateOf(folder = directory) {
  const state = await readState(folder);
  if (state === undefined) throw new Error('the server has a state');
  return state;
}

/** A process that is not ours to end. */
async function stranger(): Promise<ProcessIdentity> {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  await new Promise((resolve) => child.once('spawn', resolve));
  const identity = identify(child.pid ?? 0);
  if (identity === undefined) throw new Error('sleep runs');
  started.push(identity);
  return identity;
}

/** Listens on a port until it is closed. */
async function occupied(port = 0) {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('it listens');
  return { port: address.port, close: () => new Promise((resolve) => server.close(resolve)) };
}

async function freed(): Promise<number> {
  const taken = await occupied();
  await taken.close();
  return taken.port;
}

describe('starting', () => {
  test('on the preferred port, in a private directory, with JetStream', async () => {
    const port = await freed();
    const nested = join(directory, 'a', 'nats');
    const server = await start({ directory: nested, preferredPort: port, jetStream: true });
    expect(server).toMatchObject({ url: `nats://127.0.0.1:${port}`, port, adopted: false });
    expect((await stat(nested)).mode & 0o777).toBe(0o700);
    const connection = await connect({ servers: server.url, name: 'test' });
    expect(connection.nc.info).toMatchObject({ jetstream: true, max_payload: 1024 * 1024 });
    const manager = await connection.nc.jetstreamManager();
    expect(await manager.getAccountInfo()).toMatchObject({ streams: 0 });
    await connection.close();
    await server.stop();
  });

  test('on another port if the preferred one is taken', async () => {
    const taken = await occupied();
    const server = await start({ preferredPort: taken.port });
    expect(server.port).not.toBe(taken.port);
    await taken.close();
  });

  test('several at once that prefer the same port', async () => {
    const preferredPort = await freed();
    const servers = await Promise.all(
      ['a', 'b', 'c'].map((name) => start({ directory: join(directory, name), preferredPort })),
    );
    expect(new Set(servers.map(({ port }) => port)).size).toBe(3);
    for (const { url } of servers) await (await connect({ servers: url, name: 'test' })).close();
  });

  test('through a launcher', async () => {
    const launcher = createLauncher();
    const server = await start({ spawner: launcher });
    const died = new Promise<void>((resolve) => server.onDeath(resolve));
    signalProcess(server.process, 'SIGKILL');
    await died;
    await launcher.close();
  });

  test('without the program', async () => {
    await expect(start({ program: join(directory, 'nats-server') })).rejects.toMatchObject({ code: 'NATS_MISSING' });
    expect(await readdir(directory)).not.toContain('server.json');
  });

  test('with a program that ends at once', async () => {
    const program = join(directory, 'broken');
    await writeFile(program, '#!/bin/sh\necho no licence >&2\nexit 3\n', { mode: 0o755 });
    await expect(start({ program })).rejects.toMatchObject({
      code: 'NATS_SERVER_FAILED',
      message: expect.stringContaining('no licence'),
    });
    expect(await readdir(directory)).not.toContain('server.json');
  });

  test('with a program that never answers', async () => {
    const program = join(directory, 'mute');
    await writeFile(program, '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 });
    await expect(start({ program, startTimeoutMs: 50 })).rejects.toMatchObject({ code: 'NATS_SERVER_FAILED' });
  });

  test('in a place that is no directory', async () => {
    const path = join(directory, 'file');
    await writeFile(path, '');
    await expect(start({ directory: path })).rejects.toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
      message: expect.stringContaining(path),
    });
  });
});

describe('stopping', () => {
  test('ends the process and forgets it', async () => {
    const server = await start();
    await server.stop();
    expect(isAlive(server.process)).toBe(false);
    expect(await readState(directory)).toBeUndefined();
    expect((await readdir(directory)).filter((name) => name.endsWith('.conf'))).toEqual([]);
    await server.stop();
  });

  test('a server that stands still is ended by force', async () => {
    const server = await start({ endLimits: { termMs: 50, killMs: GONE_MS } });
    signalProcess(server.process, 'SIGSTOP');
    await server.stop();
    expect(isAlive(server.process)).toBe(false);
  });

  test('is no death; a death is told once, also to who asks later', async () => {
    const stopped = await start();
    stopped.onDeath(() => expect.unreachable());
    await stopped.stop();
    const killed = await start();
    let told = 0;
    const died = new Promise<void>((resolve) => {
      killed.onDeath(() => {
        told += 1;
        resolve();
      });
    });
    signalProcess(killed.process, 'SIGKILL');
    await died;
    await new Promise<void>((resolve) => killed.onDeath(resolve));
    expect(told).toBe(1);
  });
});

describe('what an earlier Shoal left', () => {
  test('a server that runs is adopted, and its clients notice nothing', async () => {
    const left = await abandoned();
    const connection = await connect({
      servers: left.url,
      name: 'test',
      onState: (state) => expect(state).toBe('closed'),
    });
    const server = await start();
    expect(server).toMatchObject({ adopted: true, url: left.url, process: left.process });
    await connection.nc.flush();
    await connection.close();
    await server.stop();
    expect(isAlive(left.process)).toBe(false);
  });

  test('the death of an adopted server is told too', async () => {
    await abandoned();
    // It looks at what it has not started itself.
    const launcher = createLauncher();
    const server = await start({ spawner: launcher });
    const died = new Promise<void>((resolve) => server.onDeath(resolve));
    signalProcess(server.process, 'SIGKILL');
    await died;
    await launcher.close();
  });

  test('a server that was started but not recorded is found by its arguments', async () => {
    const left = await abandoned();
    await writeState(directory, { ...(await stateOf()), process: undefined });
    const server = await start();
    expect(server).toMatchObject({ adopted: true, process: left.process });
    expect(await stateOf()).toMatchObject({ process: left.process });
  });

  test.each([false, true])(
    'a server whose files were all removed is found by its arguments (fresh: %s)',
    async (fresh) => {
      const left = await abandoned();
      for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true });
      const server = await start({ fresh });
      expect(server.adopted).toBe(!fresh);
      expect(server.port).toBe(left.port);
      expect(isAlive(left.process)).toBe(!fresh);
      expect(await stateOf()).toMatchObject({ process: server.process });
    },
  );

  test('a start that never came about is made up for, on its port', async () => {
    const port = await freed();
    const config = 'nats-old.conf';
    await writeFile(join(directory, config), '');
    await writeState(directory, { name: 'shoal-old', port, config, process: undefined });
    const server = await start();
    expect(server).toMatchObject({ adopted: false, port });
    expect(await readdir(directory)).not.toContain(config);
  });

  test('a dead server is replaced on its port', async () => {
    const left = await abandoned();
    signalProcess(left.process, 'SIGKILL');
    await whenGone(left.process, GONE_MS, systemClock);
    expect(await start()).toMatchObject({ adopted: false, port: left.port });
  });

  test('a server that stands still is ended and replaced on its port', async () => {
    const left = await abandoned();
    signalProcess(left.process, 'SIGSTOP');
    await expect.poll(() => threadStates(left.process), { timeout: GONE_MS }).toMatch(/^T+$/);
    const server = await start({ endLimits: { termMs: 50, killMs: GONE_MS } });
    expect(server).toMatchObject({ adopted: false, port: left.port });
    expect(isAlive(left.process)).toBe(false);
  });

  test('a fresh start ends it instead', async () => {
    const left = await abandoned();
    const server = await start({ fresh: true });
    expect(server.adopted).toBe(false);
    expect(isAlive(left.process)).toBe(false);
    expect(isAlive(server.process)).toBe(true);
  });

  test.each([
    ['a process that got the pid later', (other: ProcessIdentity) => ({ ...other, startTicks: other.startTicks - 1 })],
    [
      'a process of this boot, where the state is of another',
      (other: ProcessIdentity) => ({ ...other, bootId: 'other' }),
    ],
  ])('%s is left alone', async (_what, recorded) => {
    const other = await stranger();
    const port = await freed();
    await writeState(directory, { name: 'shoal-old', port, config: 'nats-old.conf', process: recorded(other) });
    expect(other.bootId).toBe(bootId());
    const server = await start({ fresh: true });
    expect(server).toMatchObject({ adopted: false, port });
    await server.stop();
    expect(isAlive(other)).toBe(true);
  });

  test("somebody else's nats-server on the port is neither adopted nor ended", async () => {
    const elsewhere = await start({ directory: join(directory, 'other') });
    await writeState(directory, {
      name: 'shoal-old',
      port: elsewhere.port,
      config: 'nats-old.conf',
      process: undefined,
    });
    const server = await start();
    expect(server.adopted).toBe(false);
    expect(server.port).not.toBe(elsewhere.port);
    expect(isAlive(elsewhere.process)).toBe(true);
  });

  test('a damaged state is an error, and is kept', async () => {
    const path = join(directory, 'server.json');
    await writeFile(path, 'garbage');
    await expect(start()).rejects.toMatchObject({ code: 'NATS_SERVER_FAILED', message: expect.stringContaining(path) });
    expect(await readdir(directory)).toEqual(['server.json']);
  });
});
