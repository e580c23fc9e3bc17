import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../actors/kit/mod.ts';
import { systemClock } from '../../actors/mod.ts';
import { ConsoleRounds } from './console-rounds.ts';
import { type ConsoleOptions, QemuConsole } from './qemu-console.ts';
import { type RunPaths, runPaths } from './run-directory.ts';

const LINE = '\nshoal1 status seq=17 cpu=0.1 ram=1196032 inflight=0 served=0\n';

let folder: string;
let paths: RunPaths;
let clock: ManualClock;
let heard: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'console-'));
  paths = runPaths(folder, 7);
  mkdirSync(paths.directory);
  clock = new ManualClock();
  heard = '';
});
afterEach(() => rmSync(folder, { recursive: true }));

function open(guest: ConsoleOptions['guest'], options: Partial<ConsoleOptions> = {}): QemuConsole {
  // QEMU has made it by the time that somebody adopts the VM.
  if (guest !== 'new') print('');
  const rounds = new ConsoleRounds(clock);
  return new QemuConsole({ paths, rounds, clock, statusIntervalMs: 1_000, guest, ...options });
}

function listenTo(console: QemuConsole): void {
  console.onBytes((bytes) => {
    heard += Buffer.from(bytes).toString('latin1');
  });
}

function openFilesOf(path: string): number {
  // One of these is the look itself, which is over.
  const open = readdirSync('/proc/self/fd').map((fd) => readlinkOrNothing(`/proc/self/fd/${fd}`));
  return open.filter((one) => one === path).length;
}

function readlinkOrNothing(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function print(text: string): void {
  appendFileSync(paths.consoleOut, text);
}

describe('what a guest prints', () => {
  it('is heard within moments while it boots', async () => {
    const console = open('new');
    listenTo(console);
    await clock.advance(10_000);
    console.boot();
    await clock.advance(20);
    print('boot');
    await clock.advance(2);
    expect(heard).toBe('boot');
    console.close();
  });

  it('is heard within half an interval when it is up, and with the first report the hurry ends', async () => {
    const console = open('new');
    listenTo(console);
    console.boot();
    print('\nshoal1 ready\n');
    await clock.advance(2);
    console.settle();
    print(LINE);
    await clock.advance(2);
    expect(heard).toBe(`\nshoal1 ready\n${LINE}`);
    print(LINE);
    await clock.advance(20);
    expect(heard).toBe(`\nshoal1 ready\n${LINE}`);
    await clock.advance(1_000);
    expect(heard).toBe(`\nshoal1 ready\n${LINE}${LINE}`);
    expect(clock.pending).toBe(1);
    console.close();
    expect(clock.pending).toBe(0);
  });

  it('is waited for as long as it takes, ever more rarely', async () => {
    let looks = 0;
    const rounds = new ConsoleRounds({
      ...clock,
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      soon: (callback) => clock.soon(callback),
      timer(delayMs, callback) {
        looks += 1;
        return clock.timer(delayMs, callback);
      },
    });
    const console = open('new', { rounds });
    listenTo(console);
    console.boot();
    await clock.advance(10_000);
    expect(looks).toBeLessThan(300);
    print('late');
    await clock.advance(500);
    expect(heard).toBe('late');
    console.close();
  });

  it('was heard by somebody else if the guest is up already, and may not have been if it boots', async () => {
    print('\nshoal1 ready\n');
    const up = open('up');
    listenTo(up);
    print(LINE);
    await clock.advance(1_000);
    expect(heard).toBe(LINE);
    up.close();
    heard = '';
    const booting = open('booting');
    listenTo(booting);
    await clock.advance(2);
    expect(heard).toBe(`\nshoal1 ready\n${LINE}`);
    booting.close();
  });

  it('before it is up is there for whoever comes next, however much it is, until its manifest says that it is up', async () => {
    const noise = 'x'.repeat(200_000);
    const console = open('new');
    listenTo(console);
    console.boot();
    print(`${noise}\nshoal1 ready\n`);
    await clock.advance(100);
    console.settle();
    await clock.advance(1_000);
    heard = '';
    const next = open('booting');
    listenTo(next);
    await clock.advance(100);
    expect(heard).toBe(`${noise}\nshoal1 ready\n`);
    next.close();
    console.remembered();
    await clock.advance(1_000);
    expect(statSync(paths.consoleOut).size).toBe(0);
    console.close();
  });

  it('is heard within moments for a while if a line is about to come', async () => {
    const console = open('up');
    // Before anybody listens there is nothing to hurry for.
    console.listen();
    listenTo(console);
    await clock.advance(1_000);
    console.listen();
    await clock.advance(20);
    print(LINE);
    await clock.advance(5);
    expect(heard).toBe(LINE);
    await clock.advance(1_000);
    print(LINE);
    await clock.advance(5);
    expect(heard).toBe(LINE);
    console.close();
  });

  it('is heard no more once it is closed, and nothing of it stays open', async () => {
    const console = open('up');
    listenTo(console);
    expect(openFilesOf(paths.consoleOut)).toBe(1);
    console.close();
    console.listen();
    expect([openFilesOf(paths.consoleOut), clock.pending]).toEqual([0, 0]);
  });

  it('that cannot be read is a fault, told once until it works again, and harms no other console', async () => {
    const rounds = new ConsoleRounds(clock);
    const other = runPaths(folder, 8);
    mkdirSync(other.consoleOut, { recursive: true });
    const faults: string[] = [];
    const broken = new QemuConsole({ paths: other, rounds, clock, statusIntervalMs: 1_000, guest: 'up' });
    let heardOfBroken = '';
    broken.onFault((why) => faults.push(why));
    broken.onBytes((bytes) => {
      heardOfBroken += String(bytes.length);
    });
    const whole = open('up', { rounds });
    listenTo(whole);
    for (let times = 0; times < 3; times++) {
      print(LINE);
      await clock.advance(1_000);
    }
    expect(heard).toBe(LINE.repeat(3));
    expect(faults).toEqual([expect.stringMatching(/^its console cannot be read: EISDIR/)]);
    rmSync(other.consoleOut, { recursive: true });
    appendFileSync(other.consoleOut, LINE);
    await clock.advance(1_000);
    appendFileSync(other.consoleOut, LINE);
    await clock.advance(1_000);
    expect(heardOfBroken).toBe(String(LINE.length));
    expect(faults).toHaveLength(1);
    broken.close();
    whole.close();
  });

  it('reaches a listener that throws, which harms no other console', async () => {
    const rounds = new ConsoleRounds(clock);
    const faults: string[] = [];
    const broken = open('up', { rounds });
    broken.onFault((why) => faults.push(why));
    broken.onBytes(() => {
      throw new Error('a mistake');
    });
    const whole = open('up', { rounds });
    listenTo(whole);
    print(LINE);
    await clock.advance(1_000);
    broken.readToEnd();
    expect(heard).toBe(LINE);
    expect(faults).toEqual(['its console cannot be read: a mistake']);
    broken.close();
    whole.close();
  });

  it('is not there if an earlier build started the VM: a fault, and the VM goes on', async () => {
    const faults: string[] = [];
    const adopted = new QemuConsole({
      ...{ paths, clock, rounds: new ConsoleRounds(clock), statusIntervalMs: 1_000 },
      guest: 'up',
    });
    adopted.onFault((why) => faults.push(why));
    listenTo(adopted);
    await clock.advance(5_000);
    expect(faults).toEqual([expect.stringContaining('ENOENT')]);
    adopted.close();
  });

  it('waits until somebody listens', async () => {
    const console = open('booting');
    print('early');
    await clock.advance(5_000);
    listenTo(console);
    await clock.advance(2);
    expect(heard).toBe('early');
    console.close();
  });

  it('that does not fit into one look does not wait for the next round', async () => {
    const console = open('up');
    listenTo(console);
    await clock.advance(1_000);
    const much = `${'x'.repeat(200)}\n`.repeat(3_000);
    print(much);
    await clock.advance(750);
    expect(heard).toBe(much);
    console.close();
  });

  it('is read to its end when the process is gone, in the middle of a line too', () => {
    const console = open('up');
    listenTo(console);
    print('\nshoal1 bye reason=st');
    console.readToEnd();
    expect(heard).toBe('\nshoal1 bye reason=st');
    console.close();
  });
});

describe('what a guest is told', () => {
  let server: Server;
  let connections: Socket[];
  beforeEach(async () => {
    connections = [];
    server = createServer({ allowHalfOpen: true }, (socket) => {
      connections.push(socket);
      socket.on('end', () => socket.end());
    });
    await new Promise<void>((resolve) => server.listen(paths.consoleIn, resolve));
  });
  const connected = async (): Promise<Socket> => {
    // `connection` comes with the socket and nothing else.
    const [guest] = (await once(server, 'connection')) as [Socket];
    return guest;
  };
  afterEach(() => {
    for (const connection of connections) connection.destroy();
    server.close();
  });

  it('goes through a connection that ends behind it, and what comes back through it is not heard twice', async () => {
    const console = open('up', { clock: systemClock });
    listenTo(console);
    console.write('stop\n');
    const guest = await connected();
    guest.write(LINE);
    expect(String((await once(guest, 'data'))[0])).toBe('stop\n');
    await once(guest, 'close');
    expect(heard).toBe('');
    console.close();
  });

  it('comes in order, one after the other', async () => {
    const console = open('up', { clock: systemClock });
    let said = '';
    const done = new Promise<void>((resolve) => {
      server.on('connection', (guest) => {
        guest.on('data', (bytes) => {
          said += String(bytes);
          if (said.endsWith('third\n')) resolve();
        });
      });
    });
    for (const line of ['first\n', 'second\n', 'third\n']) console.write(line);
    await done;
    expect(said).toBe('first\nsecond\nthird\n');
    console.close();
  });

  it('beyond what may wait is dropped, and what fits is said', async () => {
    const console = open('up', { clock: systemClock });
    let said = '';
    server.on('connection', (guest) => guest.on('data', (bytes) => (said += String(bytes))));
    for (const [word, chars] of [
      ['a', 40_000],
      ['b', 40_000],
      ['c', 10_000],
    ] as const)
      console.write(word.repeat(chars));
    await vi.waitFor(() => expect(said).toContain('c'), 10_000);
    console.write('d');
    await vi.waitFor(() => expect(said).toContain('d'), 10_000);
    expect(said.replaceAll(/(.)\1*/g, '$1')).toBe('acd');
    console.close();
  });

  it('is said although the guest prints much meanwhile', async () => {
    const console = open('up', { clock: systemClock });
    console.write('first\n');
    const guest = await connected();
    guest.resume();
    guest.write(LINE.repeat(10_000));
    const next = connected();
    console.write('second\n');
    expect(String((await once(await next, 'data'))[0])).toBe('second\n');
    console.close();
  });

  it('is limited in what waits, not in how much it is in a life', async () => {
    const console = open('up', { clock: systemClock });
    const line = `${'x'.repeat(40_000)}\n`;
    server.on('connection', (guest: Socket) => guest.resume());
    for (const count of [1, 2, 3]) {
      // While one waits there is no room for another, and this one is dropped.
      await vi.waitFor(() => {
        if (connections.length < count) console.write(line);
        expect(connections).toHaveLength(count);
      }, 10_000);
    }
    console.close();
  });

  it('that cannot be written is a fault, told once', async () => {
    const faults: string[] = [];
    const console = open('up', { clock: systemClock });
    const told = new Promise<void>((resolve) => {
      console.onFault((why) => {
        faults.push(why);
        resolve();
      });
    });
    await new Promise((resolve) => server.close(resolve));
    mkdirSync(paths.consoleIn);
    console.write('first\n');
    await told;
    expect(faults).toEqual([expect.stringContaining('its console cannot be written: ')]);
    console.close();
  });

  it('is given up when the console is closed', async () => {
    const console = open('up', { clock: systemClock });
    console.write('stop\n');
    const guest = await connected();
    console.close();
    await once(guest, 'close');
    console.write('more\n');
    expect(connections).toHaveLength(1);
  });
});
