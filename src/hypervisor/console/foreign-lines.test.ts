import { describe, expect, it } from 'vitest';
import { parseProfile } from '../profile/parse-profile.ts';
import { ConsoleParser } from './console-parser.ts';
import { ForeignLines } from './foreign-lines.ts';

const MIB = 1024 * 1024;

function linesOf(console: object): ForeignLines {
  const { console: profile } = parseProfile({ console }, 'test');
  if (profile.format === 'shoal' || profile.format === 'none') throw new Error('it is not foreign');
  const told = { bind: '10.0.2.15/24', addr: '127.0.0.1:9', textBytesMax: 100, ramBytesMax: 16 * MIB };
  return new ForeignLines(profile, { ...told, now: () => 1_000 });
}

function said(console: object, text: string): readonly unknown[] {
  return new ConsoleParser(16 * MIB, linesOf(console)).push(Buffer.from(text), 0);
}

const READY = { kind: 'ready', bind: '10.0.2.15/24', addr: '127.0.0.1:9' };
const GUEST = { textBytesMax: 100, idempotent: false, operations: [] };

describe('the console of a guest with a format of its own', () => {
  it('is one JSON object a line, under its own names', () => {
    const console = { format: 'json', kind: 'event', names: { cpu: 'cpu_percent', ram: 'rss' } };
    const text = [
      '{"event":"ready"}',
      '{"event":"status","seq":4,"cpu_percent":12.5,"rss":4096,"inflight":1,"served":"7"}',
      '{"event":"bye","reason":"stop"}',
      '{"event":"login"}',
      '{"event":"status"',
      '[1]',
      '',
    ].join('\n');
    expect(said(console, text)).toEqual([
      { ...READY, guest: GUEST },
      { kind: 'status', report: { seq: 4, cpuPercent: 12.5, ramBytes: 4_096, inFlight: 1, served: 7 } },
      { kind: 'bye', reason: 'stop' },
      { kind: 'log', text: '{"event":"login"}' },
      { kind: 'log', text: '{"event":"status"' },
      { kind: 'log', text: '[1]' },
    ]);
  });

  it('is key=value, and numbers reports that have no number', () => {
    const console = { format: 'key=value', names: { addr: 'at' } };
    const text = 'kind=ready at=127.0.0.1:8 max=50\nkind=status cpu=1\nkind=status cpu=2\nlevel=info kind=other\n';
    const status = { ramBytes: 0, inFlight: 0, served: 0 };
    expect(said(console, text)).toEqual([
      { ...READY, addr: '127.0.0.1:8', guest: { ...GUEST, textBytesMax: 50 } },
      { kind: 'status', report: { ...status, seq: 1_000, cpuPercent: 1 } },
      { kind: 'status', report: { ...status, seq: 1_001, cpuPercent: 2 } },
      { kind: 'log', text: 'level=info kind=other' },
    ]);
  });

  it('is a pattern for each kind of line', () => {
    const console = {
      format: 'regex',
      ready: '^listening',
      status: 'cpu (?<cpu>[\\d.]+) %',
      bye: '^off: (?<reason>.*)$',
    };
    expect(said(console, 'listening on 9000\nload: cpu 3.5 %\noff: stop\nhello\n')).toEqual([
      { ...READY, guest: GUEST },
      expect.objectContaining({ kind: 'status', report: expect.objectContaining({ cpuPercent: 3.5 }) }),
      { kind: 'bye', reason: 'stop' },
      { kind: 'log', text: 'hello' },
    ]);
  });

  it.each([
    ['a share above 100', 'kind=status cpu=101', /cpu/],
    ['no share', 'kind=status', /cpu/],
    ['more memory than there is', 'kind=status cpu=1 ram=99999999999', /ram/],
    ['a number that is none', 'kind=status cpu=1 served=-1', /served/],
    ['a size that is none', 'kind=ready max=1e9', /max/],
  ])('may lie: %s is refused', (_, line, why) => {
    expect(said({ format: 'key=value' }, `${line}\n`)).toEqual([
      { kind: 'refused', text: line, why: expect.stringMatching(why) },
    ]);
  });

  it('costs a bounded work whatever it says: lines beyond that are shed and counted', () => {
    const greedy = '(?:.*a){8}b';
    const lines = linesOf({ format: 'regex', ready: greedy, status: `${greedy}(?<cpu>\\d)` });
    const parser = new ConsoleParser(16 * MIB, lines);
    const flood = Buffer.from(`${'a'.repeat(1_000)}\n`.repeat(2_000));
    const events = parser.push(flood, 0);
    // Two seconds of work at once, and the line that went beyond.
    expect(lines.steps).toBeLessThan(2_000 * 2_000 + 400_000);
    expect(events.length).toBeLessThan(1_000);
    expect(parser.push(Buffer.from('later\n'), 10_000)).toEqual([
      { kind: 'shed', lines: 2_000 - events.length },
      { kind: 'log', text: 'later' },
    ]);
  });
});
