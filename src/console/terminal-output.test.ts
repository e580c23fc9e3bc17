import { EventEmitter } from 'node:events';
import type { WriteStream } from 'node:tty';
import { expect, test } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import { TerminalOutput } from './terminal-output.ts';

class FakeTerminal extends EventEmitter {
  readonly fd = -1;
  columns = 100;
  rows = 30;
}

function fixture() {
  const terminal = new FakeTerminal();
  const clock = new ManualClock();
  const told: string[] = [];
  let text = '';
  let room = Number.POSITIVE_INFINITY;
  let failure: string | undefined;
  const output = new TerminalOutput({
    // Only these members are used.
    terminal: terminal as unknown as WriteStream & { readonly fd: number },
    clock,
    onGone: () => told.push('gone'),
    onCaughtUp: () => told.push('caught up'),
    write: (_fd, bytes) => {
      if (failure !== undefined) throw Object.assign(new Error(failure), { code: failure });
      if (room === 0) throw Object.assign(new Error('EAGAIN'), { code: 'EAGAIN' });
      const taken = Buffer.from(bytes).subarray(0, room);
      room -= taken.length;
      text += taken.toString();
      return taken.length;
    },
  });
  return {
    terminal,
    clock,
    told,
    output,
    written: () => text,
    takes: (bytes: number) => {
      room = bytes;
    },
    fails: (code: string) => {
      failure = code;
    },
  };
}

test('a terminal that tells no size, as on a serial line, has the usual one', () => {
  const { output, terminal } = fixture();
  expect([output.columns, output.rows]).toEqual([100, 30]);
  terminal.columns = 0;
  terminal.rows = 0;
  expect([output.columns, output.rows]).toEqual([80, 24]);
});

test('what a terminal takes is written before the call returns', () => {
  const { output, written, told } = fixture();
  output.write('one');
  expect(written()).toBe('one');
  expect(output.isBehind).toBe(false);
  expect(told).toEqual([]);
});

test('a terminal that stands still holds up nothing, and gets all of it later, in order', async () => {
  const { output, written, takes, told, clock } = fixture();
  takes(4);
  output.write('drawn ');
  output.write('and more');
  expect(written()).toBe('draw');
  expect(output.isBehind).toBe(true);
  await clock.advance(1_000);
  expect(written()).toBe('draw');
  takes(Number.POSITIVE_INFINITY);
  await clock.advance(1_000);
  expect(written()).toBe('drawn and more');
  expect(output.isBehind).toBe(false);
  expect(told).toEqual(['caught up']);
});

test('once it is released nothing is tried any more', async () => {
  const { output, written, takes, clock } = fixture();
  takes(0);
  output.write('lost');
  output.release();
  takes(100);
  await clock.advance(1_000);
  expect(written()).toBe('');
});

test('an error of the terminal is told, and so is its size', () => {
  const { output, terminal, fails, told } = fixture();
  output.on('resize', () => told.push(`resized to ${output.columns}x${output.rows}`));
  terminal.emit('resize');
  fails('EIO');
  output.write('x');
  expect(told).toEqual(['resized to 100x30', 'gone']);
});
