import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { loadImage } from '../../src/hypervisor/mod.ts';
import { temporaryFolder } from '../driver/fleet.ts';
import { shoal } from '../driver/shoal-process.ts';
import { programOf } from './linux-guest.ts';

const IP = '127.0.0.1';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, IP);
  await once(server, 'listening');
  const place = server.address();
  server.close();
  await once(server, 'close');
  return typeof place === 'object' && place !== null ? place.port : 0;
}

function socketsOf({ pid }: ChildProcess): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

test('a client that has said all, and is gone before its answer, leaves nothing behind', async () => {
  const port = await freePort();
  const words = [
    'id=1',
    'bind=10.0.2.15/24',
    'gw=10.0.2.2',
    `port=${port}`,
    `addr=${IP}:${port}`,
    'status_ms=100',
    'max=4096',
  ];
  const guest = spawn(
    programOf(),
    words.map((word) => `shoal.${word}`),
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  onTestFinished(() => void guest.kill('SIGKILL'));
  const lines = createInterface({ input: guest.stdout })[Symbol.asyncIterator]();
  const said = async (part: string): Promise<void> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`it ended before it said ${part}`);
      if (value.includes(part)) return;
    }
  };
  await said(' ready ');
  const before = socketsOf(guest);
  const client: Socket = connect({ port, host: IP, allowHalfOpen: true });
  await once(client, 'connect');
  client.end('POST /spin HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\n2000');
  await once(client, 'finish');
  // Between two reports it looks for what has come, and so has seen the end.
  for (let reports = 0; reports < 3; reports++) await said('inflight=1');
  expect(socketsOf(guest)).toBe(before + 1);
  client.resetAndDestroy();
  await said('served=1');
  // It waited a minute for that client, and did not sleep in it.
  for (let reports = 0; reports < 100 && socketsOf(guest) > before; reports++) await said('inflight=0');
  expect(socketsOf(guest)).toBe(before);
  guest.stdin.write('stop\n');
  await said(' bye reason=stop');
});

test('the command of docs/http-guests.md writes an image of each kind, which loads with its profile', async () => {
  const folder = temporaryFolder();
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const script = fileURLToPath(new URL('write.ts', import.meta.url));
  execFileSync(process.execPath, [script, folder], { stdio: 'pipe' });
  for (const [variant, protocol, format] of [
    ['frames', 'frames', 'shoal'],
    ['http', 'http', 'shoal'],
    ['silent', 'http', 'none'],
  ] as const) {
    const { profile } = await loadImage(join(folder, variant, 'vmlinuz'));
    expect([variant, profile.protocol, profile.console.format]).toEqual([variant, protocol, format]);
  }
  // It keeps the contract on the other machine that boots a Linux, too.
  const image = join(folder, 'http', 'vmlinuz');
  const { exitCode, stdout } = await shoal(['image', 'check', '--profile-set', 'machine=q35', image]);
  expect(stdout).toMatch(/ok +start +q35, /);
  expect({ exitCode, stdout }).toMatchObject({ exitCode: 0 });
});
