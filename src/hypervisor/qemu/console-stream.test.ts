import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../actors/mod.ts';
import { ConsoleStream } from './console-stream.ts';

/** Longer than any of these tests should take. */
const LONG_MS = 15_000;

let folder: string;
let server: Server;
let guests: Socket[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'console-'));
  guests = [];
  server = createServer((socket) => guests.push(socket));
  await new Promise<void>((resolve) => server.listen(join(folder, 's'), resolve));
});
afterEach(() => {
  for (const guest of guests) guest.destroy();
  server.close();
  rmSync(folder, { recursive: true });
});

/** A console, its guest's end of it, and what has been read of it. */
async function open() {
  const connected = once(server, 'connection');
  const stream = await ConsoleStream.open(join(folder, 's'), LONG_MS, systemClock, () => true);
  // `connection` comes with the socket and nothing else.
  const [guest] = (await connected) as [Socket];
  const heard = { text: '', reads: 0, wanted: '', tell: (): void => undefined };
  stream.onBytes((bytes) => {
    heard.text += Buffer.from(bytes).toString('latin1');
    heard.reads += 1;
    if (heard.text.endsWith(heard.wanted)) heard.tell();
  });
  const until = (wanted: string): Promise<void> =>
    new Promise((resolve) => {
      heard.wanted = wanted;
      heard.tell = resolve;
      if (heard.text.endsWith(wanted)) resolve();
    });
  return { stream, guest, heard, until };
}

/** As QEMU does it: each byte by itself. */
async function print(guest: Socket, text: string): Promise<void> {
  for (const byte of text) await new Promise((resolve) => guest.write(byte, resolve));
}

const LINE = '\nshoal1 status seq=17 cpu=0.1 ram=1196032 inflight=0 served=0\n';

describe('the console', () => {
  it('is read whole, and as it comes, from its first byte on', async () => {
    const { stream, guest, heard, until } = await open();
    await print(guest, 'boot');
    await until('boot');
    await print(guest, LINE);
    await until(LINE);
    expect(heard.text).toBe(`boot${LINE}`);
    stream.close();
  });

  it('is read whole in few pieces when there is no hurry', async () => {
    const { stream, guest, heard, until } = await open();
    stream.unhurried();
    for (let line = 0; line < 20; line++) {
      await print(guest, LINE);
      await until(LINE.repeat(line + 1));
    }
    expect(heard.text).toBe(LINE.repeat(20));
    expect(heard.reads).toBeLessThan((20 * LINE.length) / 4);
    stream.close();
  });

  it('stalls no guest that prints much', async () => {
    const { stream, guest, until } = await open();
    stream.unhurried();
    const much = `${'x'.repeat(200)}\n`.repeat(5_000);
    guest.write(`${much}end`);
    await until('end');
    stream.close();
  });

  it('is read to its end when the process is gone, in the middle of a line too', async () => {
    const { stream, guest, heard } = await open();
    stream.unhurried();
    guest.end('\nshoal1 bye reason=st');
    await stream.readToEnd();
    expect(heard.text).toBe('\nshoal1 bye reason=st');
    await stream.readToEnd();
  });

  it('of two VMs are two', async () => {
    const first = await open();
    const second = await open();
    for (let line = 0; line < 50; line++) {
      first.guest.write(`first ${line}\n`);
      second.guest.write(`second ${line}\n`);
    }
    await Promise.all([first.until('first 49\n'), second.until('second 49\n')]);
    expect(first.heard.text).not.toContain('second');
    expect(second.heard.text).not.toContain('first');
    first.stream.close();
    second.stream.close();
  });

  it('takes what is written to it', async () => {
    const { stream, guest } = await open();
    const read = once(guest, 'data');
    stream.write('stop\n');
    expect(String(await read)).toBe('stop\n');
    stream.close();
  });
});
