import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ManualClock } from '../../actors/kit/mod.ts';
import { systemClock } from '../../actors/mod.ts';
import { Qmp } from './qmp.ts';
import { connectUnix } from './unix-socket.ts';

const GREETING = '{"QMP": {"version": {}, "capabilities": []}}\r\n';
/** Longer than any of these tests should take, so that only what is about limits runs into one. */
const LONG_MS = 15_000;

let folder: string;
let server: Server;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qmp-'));
  path = join(folder, 's');
});
afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

/** A monitor that answers line by line what `answer` says; `\n` is added. */
function monitor(
  greeting: string,
  answer: (line: { execute: string; id: number }, socket: Socket) => string | undefined,
): Promise<void> {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(greeting);
    socket.on('data', (bytes) => {
      for (const line of bytes.toString().trim().split('\n')) {
        const text = answer(JSON.parse(line), socket);
        if (text !== undefined) socket.write(`${text}\n`);
      }
    });
  });
  return new Promise((resolve) => server.listen(path, resolve));
}

function ok(id: number, value: unknown = {}): string {
  return JSON.stringify({ return: value, id });
}

async function open(timeoutMs = LONG_MS): Promise<Qmp> {
  return Qmp.open(await connectUnix(path, LONG_MS, systemClock, () => true), timeoutMs, systemClock);
}

describe('the monitor', () => {
  it('greets, negotiates and answers commands by their ids, in whatever pieces', async () => {
    await monitor(GREETING, ({ execute, id }, socket) => {
      const text = `${ok(id, execute)}\n`;
      for (const byte of text) socket.write(byte);
      return undefined;
    });
    const qmp = await open();
    const answers = ['query-status', 'query-uuid', 'query-name'].map((command) =>
      qmp.command(command, undefined, LONG_MS),
    );
    expect(await Promise.all(answers)).toEqual(['query-status', 'query-uuid', 'query-name']);
    qmp.close();
  });

  it('leaves no timer of an answered command behind', async () => {
    await monitor(GREETING, ({ id }) => ok(id));
    const clock = new ManualClock();
    const qmp = await Qmp.open(await connectUnix(path, LONG_MS, systemClock, () => true), LONG_MS, clock);
    await qmp.command('query-status', undefined, LONG_MS);
    expect(clock.pending).toBe(0);
    qmp.close();
  });

  it('skips events, also between answers', async () => {
    await monitor(GREETING, ({ id }) => `{"event": "STOP", "data": {"why": "x"}, "timestamp": {}}\n${ok(id)}`);
    const qmp = await open();
    expect(await qmp.command('stop', undefined, LONG_MS)).toEqual({});
    qmp.close();
  });

  it('refuses with QMP_ERROR and what QEMU says', async () => {
    await monitor(GREETING, ({ execute, id }) =>
      execute === 'bad' ? `{"error": {"class": "CommandNotFound", "desc": "no bad"}, "id": ${id}}` : ok(id),
    );
    const qmp = await open();
    await expect(qmp.command('bad', undefined, LONG_MS)).rejects.toMatchObject({
      code: 'QMP_ERROR',
      message: expect.stringContaining('no bad'),
    });
    await expect(qmp.command('good', undefined, LONG_MS)).resolves.toEqual({});
    qmp.close();
  });

  it('that serves somebody else and does not greet is QMP_TIMEOUT', async () => {
    await monitor('', () => undefined);
    await expect(open(20)).rejects.toMatchObject({ code: 'QMP_TIMEOUT' });
  });

  it('that does not answer is QMP_TIMEOUT, and an answer that comes late harms nothing', async () => {
    const late: (() => void)[] = [];
    await monitor(GREETING, ({ execute, id }, socket) => {
      if (execute !== 'slow') return ok(id);
      late.push(() => socket.write(`${ok(id)}\n`));
      return undefined;
    });
    const qmp = await open();
    await expect(qmp.command('slow', undefined, 20)).rejects.toMatchObject({ code: 'QMP_TIMEOUT' });
    late[0]?.();
    await expect(qmp.command('next', undefined, LONG_MS)).resolves.toEqual({});
    qmp.close();
  });

  it.each([
    ['is not JSON', 'what?\n'],
    ['is no object', '[1]\n'],
    ['has no end', 'x'.repeat(1024 * 1024 + 1)],
  ])('that sends a line that %s is of no use any more', async (_name, line) => {
    await monitor(GREETING, ({ execute, id }, socket) => {
      if (execute === 'qmp_capabilities') return ok(id);
      socket.write(line);
      return undefined;
    });
    const qmp = await open();
    await expect(qmp.command('x', undefined, LONG_MS)).rejects.toMatchObject({ code: 'QMP_ERROR' });
    await expect(qmp.command('y', undefined, LONG_MS)).rejects.toMatchObject({ code: 'QMP_ERROR' });
  });

  it('that hangs up ends what is under way', async () => {
    await monitor(GREETING, ({ execute, id }, socket) => {
      if (execute === 'qmp_capabilities') return ok(id);
      socket.destroy();
      return undefined;
    });
    await expect((await open()).command('x', undefined, LONG_MS)).rejects.toMatchObject({ code: 'QMP_ERROR' });
  });

  it('that is busy with the client before us is tried again', async () => {
    // It listens and takes nobody.
    const script = `require('net').createServer().listen({ path: '${path}', backlog: 1 }, () => {
      require('fs').writeSync(1, 'on');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
    })`;
    const busy = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void busy.kill('SIGKILL'));
    await once(busy.stdout, 'data');
    const waiting: Socket[] = [];
    onTestFinished(() => {
      for (const socket of waiting) socket.destroy();
    });
    for (let isFull = false; !isFull && waiting.length < 100; ) {
      const socket = await connectUnix(path, LONG_MS, systemClock, () => false).catch(() => undefined);
      if (socket === undefined) isFull = true;
      else waiting.push(socket);
    }
    let tries = 0;
    await expect(connectUnix(path, LONG_MS, systemClock, () => ++tries < 3)).rejects.toMatchObject({
      code: 'QMP_TIMEOUT',
      message: expect.stringContaining('EAGAIN'),
    });
    expect(tries).toBe(3);
  });

  it('is connected to as soon as it appears, without another look', async () => {
    server = createServer();
    const clock = new ManualClock();
    let looks = 0;
    const connecting = connectUnix(path, LONG_MS, clock, () => ++looks > 0);
    // The folder is watched once there is a timer to look again, which this clock never lets ring.
    while (clock.pending === 0) await new Promise(setImmediate);
    writeFileSync(`${path}-of-another`, '');
    server.listen(path);
    (await connecting).destroy();
    expect([looks, clock.pending]).toEqual([2, 0]);
  });

  it('is looked for again and again where its folder cannot be watched', async () => {
    server = createServer();
    const inside = join(folder, 'later');
    let looks = 0;
    const connecting = connectUnix(join(inside, 's'), LONG_MS, systemClock, () => {
      if (++looks === 3) {
        mkdirSync(inside);
        server.listen(join(inside, 's'));
      }
      return true;
    });
    (await connecting).destroy();
  });

  it('that never comes up is QMP_TIMEOUT, at once if its process is gone', async () => {
    server = createServer();
    await expect(connectUnix(path, LONG_MS, systemClock, () => false)).rejects.toMatchObject({ code: 'QMP_TIMEOUT' });
    await expect(connectUnix(path, 20, systemClock, () => true)).rejects.toMatchObject({ code: 'QMP_TIMEOUT' });
  });
});
