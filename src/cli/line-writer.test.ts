import { expect, test } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import { LineWriter, type Write } from './line-writer.ts';

/** A descriptor whose writes the test ends by hand. */
class Descriptor {
  readonly written: string[] = [];
  readonly #ends: (() => void)[] = [];
  #how: (bytes: Uint8Array) => Error | number = (bytes) => bytes.length;

  readonly write: Write = (_fd, bytes, done) => {
    this.#ends.push(() => {
      const end = this.#how(bytes);
      if (typeof end !== 'number') return done(end, 0);
      this.written.push(Buffer.from(bytes.subarray(0, end)).toString());
      done(null, end);
    });
  };

  from(how: (bytes: Uint8Array) => Error | number): void {
    this.#how = how;
  }

  /** Ends writes until none is under way. */
  run(): void {
    for (let end = this.#ends.shift(); end !== undefined; end = this.#ends.shift()) end();
  }
}

const failure = (code: string): Error => Object.assign(new Error(code), { code });

test('lines come out in order, one write at a time, also those that are written in parts', () => {
  const descriptor = new Descriptor();
  const lines = new LineWriter(2, descriptor.write, new ManualClock());
  descriptor.from((bytes) => Math.min(3, bytes.length));
  for (const text of ['one', 'two']) lines.line(text);
  descriptor.run();
  expect(descriptor.written.join('')).toBe('one\ntwo\n');
});

test.each(['ENOSPC', 'EPIPE', 'EIO'])('a line that fails with %s is dropped, and the next is tried', (code) => {
  const descriptor = new Descriptor();
  const lines = new LineWriter(2, descriptor.write, new ManualClock());
  descriptor.from(() => failure(code));
  lines.line('lost');
  descriptor.run();
  descriptor.from((bytes) => bytes.length);
  lines.line('back');
  descriptor.run();
  expect(descriptor.written).toEqual(['back\n']);
});

test('a full pipe is tried again', async () => {
  const descriptor = new Descriptor();
  const clock = new ManualClock();
  const lines = new LineWriter(2, descriptor.write, clock);
  descriptor.from(() => failure('EAGAIN'));
  lines.line('kept');
  descriptor.run();
  descriptor.from((bytes) => bytes.length);
  await clock.advance(100);
  descriptor.run();
  expect(descriptor.written).toEqual(['kept\n']);
});

test('what nobody reads takes a bounded memory, and the gap is told', () => {
  const descriptor = new Descriptor();
  const lines = new LineWriter(2, descriptor.write, new ManualClock());
  const text = 'x'.repeat(1023);
  for (let count = 0; count < 1_000; count++) lines.line(text);
  descriptor.run();
  expect(descriptor.written).toHaveLength(257);
  expect(descriptor.written.at(-1)).toBe('(744 lines left out: nobody read them in time)\n');
  lines.line('on');
  descriptor.run();
  expect(descriptor.written.at(-1)).toBe('on\n');
});

test('the end waits for what can be written, and no longer than it may', async () => {
  const descriptor = new Descriptor();
  const clock = new ManualClock();
  const lines = new LineWriter(2, descriptor.write, clock);
  await lines.end(1_000);
  lines.line('last');
  const written = lines.end(1_000);
  descriptor.run();
  await written;
  lines.line('stuck');
  const ended = lines.end(1_000);
  await clock.advance(1_000);
  await ended;
  expect(descriptor.written).toEqual(['last\n']);
});
