import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConsoleProfile } from '../../profile/profile.ts';
import type { ConsoleEvent } from '../console-event.ts';
import { ConsoleParser, LINE_BYTES_MAX } from '../console-parser.ts';
import { formatOf } from './format-of.ts';
import type { GuestFacts } from './line-format.ts';

const MIB = 1024 * 1024;
const GUEST: GuestFacts = {
  bind: '10.0.2.15/24',
  addr: '127.0.10.1:9000',
  textBytesMax: 65_536,
  idempotent: true,
  ramBytesMax: 96 * MIB,
  measured: () => ({ seq: 77, cpuPercent: 12.5, ramBytes: 96 * MIB }),
};

const KEY_VALUE: ConsoleProfile = { format: 'key=value', kind: 'event', names: { cpu: 'load', ram: 'rss' } };
const JSON_LINES: ConsoleProfile = { format: 'json', kind: 'event', names: { cpu: 'load', ram: 'rss' } };
const PATTERNS: ConsoleProfile = {
  format: 'regex',
  ready: '^listening on (?<bind>[^ ]+)$',
  status: '^load (?<cpu>[0-9.]+)%(, (?<ram>[0-9]+) bytes)?(, (?<inflight>[0-9]+) in work)?$',
  bye: '^stopped: (?<reason>.*)$',
};

function parse(profile: ConsoleProfile, text: string, nowMs = 0): readonly ConsoleEvent[] {
  return new ConsoleParser(formatOf(profile, GUEST)).push(Buffer.from(text), nowMs);
}

const READY = {
  kind: 'ready',
  bind: GUEST.bind,
  addr: GUEST.addr,
  guest: { textBytesMax: 65_536, idempotent: true, operations: [] },
};
const MEASURED = { seq: 77, cpuPercent: 12.5, ramBytes: 96 * MIB, inFlight: 0, served: 0 };

describe('a console of key=value', () => {
  it('tells by the words that its profile names, beside others', () => {
    const text = [
      '2026-11-28T21:00:00Z info event=ready version=3',
      'event=status load=3.25 rss=1048576 seq=4 inflight=2 served=9 note="all is well, event=bye"',
      'event=status',
      'event=bye reason="out of work"',
      'event=bye',
    ].join('\n');
    expect(parse(KEY_VALUE, `${text}\n`)).toEqual([
      READY,
      { kind: 'status', report: { seq: 4, cpuPercent: 3.25, ramBytes: MIB, inFlight: 2, served: 9 } },
      { kind: 'status', report: MEASURED },
      { kind: 'bye', reason: 'out of work' },
      { kind: 'bye', reason: 'stop' },
    ]);
  });

  it('leaves lines of another kind, and of none, to the log', () => {
    for (const line of ['hello', 'level=info msg="event=ready"', 'event=started', 'event', '=ready', 'xevent=ready']) {
      expect(parse(KEY_VALUE, `${line}\n`)).toEqual([{ kind: 'log', text: line }]);
    }
  });
});

it('a line of key=value that has a field twice is refused, if it tells something', () => {
  expect(parse(KEY_VALUE, 'event=status load=1 load=2\nlevel=1 level=2\n')).toMatchObject([
    { kind: 'refused', why: '`load` stands there twice' },
    { kind: 'log' },
  ]);
});

it('a request of a guest whose image does not say so may not be worked on twice', () => {
  const format = formatOf(KEY_VALUE, { ...GUEST, idempotent: undefined });
  const [ready] = new ConsoleParser(format).push(Buffer.from('event=ready\n'), 0);
  expect(ready).toMatchObject({ kind: 'ready', guest: { idempotent: false } });
});

describe('a console of JSON lines', () => {
  it('tells by the fields that its profile names, beside others', () => {
    const lines = [
      { event: 'ready', at: { nested: ['deep'] } },
      { event: 'status', load: 3.25, rss: 1_048_576, seq: '4', inflight: 2, served: 9 },
      { event: 'status', load: null, rss: [1] },
      { event: 'bye', reason: 'out of work' },
    ];
    expect(parse(JSON_LINES, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))).toEqual([
      READY,
      { kind: 'status', report: { seq: 4, cpuPercent: 3.25, ramBytes: MIB, inFlight: 2, served: 9 } },
      { kind: 'status', report: MEASURED },
      { kind: 'bye', reason: 'out of work' },
    ]);
  });

  it('leaves what is no object, or one of another kind, to the log', () => {
    const lines = [
      '[]',
      '{"event":"ready"',
      '{"event":"rea\\',
      '{"event":{}}',
      '{"a":"event"}',
      '"event"',
      '['.repeat(4_000),
    ];
    for (const line of lines) expect(parse(JSON_LINES, `${line}\n`)).toEqual([{ kind: 'log', text: line }]);
  });

  it('takes nothing from what every object has', () => {
    const profile: ConsoleProfile = { format: 'json', kind: 'constructor', names: { cpu: 'toString' } };
    expect(parse(profile, '{"x":"constructor"}\n')).toEqual([{ kind: 'log', text: '{"x":"constructor"}' }]);
  });
});

describe('a console of patterns', () => {
  it('tells by the groups of the pattern that matches', () => {
    expect(
      parse(
        PATTERNS,
        'listening on 10.0.2.15/24\nload 3.5%, 1048576 bytes, 2 in work\nload 0%\nstopped: done\nbooting\n',
      ),
    ).toEqual([
      READY,
      { kind: 'status', report: { ...MEASURED, cpuPercent: 3.5, ramBytes: MIB, inFlight: 2 } },
      { kind: 'status', report: { ...MEASURED, cpuPercent: 0 } },
      { kind: 'bye', reason: 'done' },
      { kind: 'log', text: 'booting' },
    ]);
  });
});

describe('a console that says nothing', () => {
  it('has only a log', () => {
    expect(parse({ format: 'none' }, 'shoal1 bye reason=stop\n')).toEqual([
      { kind: 'log', text: 'shoal1 bye reason=stop' },
    ]);
  });
});

describe('any format', () => {
  const FORMATS: Record<string, { profile: ConsoleProfile; line: (cpu: string, ram: string) => string }> = {
    'key=value': { profile: KEY_VALUE, line: (cpu, ram) => `event=status load=${cpu} rss=${ram}` },
    json: { profile: JSON_LINES, line: (cpu, ram) => `{"event":"status","load":"${cpu}","rss":"${ram}"}` },
    regex: {
      profile: { ...PATTERNS, status: '^load (?<cpu>[^ ]+) (?<ram>[^ ]+)$' },
      line: (cpu, ram) => `load ${cpu} ${ram}`,
    },
  };

  it.each(Object.keys(FORMATS))('%s refuses figures that no guest can have', (name) => {
    const format = FORMATS[name];
    if (format === undefined) throw new Error(name);
    const { profile, line } = format;
    for (const cpu of ['-1', '100.5', 'NaN', '1e1', '0x1', 'Infinity']) {
      expect(parse(profile, `${line(cpu, '1')}\n`)).toMatchObject([
        { kind: 'refused', why: expect.stringContaining('`cpu`') },
      ]);
    }
    for (const ram of ['-1', '1.5', String(97 * MIB), '99999999999999999999', 'x']) {
      expect(parse(profile, `${line('1', ram)}\n`)).toMatchObject([
        { kind: 'refused', why: expect.stringContaining('`ram`') },
      ]);
    }
    expect(parse(profile, `${line('1', '2\u202e')}\n`)).toMatchObject([{ kind: 'refused' }]);
  });

  it('means the same however its bytes are split, neither throws nor grows, and cuts long lines', () => {
    const piece = fc.constantFrom(
      'event=',
      'ready',
      'status',
      '{"event":"',
      '"}',
      'load ',
      '1.5',
      '%',
      '\n',
      '\r\n',
      '"',
      ' ',
      '=',
      '\u0000',
      '{',
      'x'.repeat(LINE_BYTES_MAX),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(KEY_VALUE, JSON_LINES, PATTERNS),
        fc.array(piece),
        fc.array(fc.nat()),
        (profile, parts, cuts) => {
          const bytes = Buffer.from(parts.join(''));
          const whole = new ConsoleParser(formatOf(profile, GUEST)).push(bytes, 0);
          const parser = new ConsoleParser(formatOf(profile, GUEST));
          const ends = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].toSorted(
            (a, b) => a - b,
          );
          const split = ends.flatMap((end, index) =>
            parser.push(bytes.subarray(index === 0 ? 0 : ends[index - 1], end), 0),
          );
          expect(split).toEqual(whole);
        },
      ),
    );
  });

  it.each(Object.keys(FORMATS))('%s sheds lines that come too fast, and goes on when they do not', (name) => {
    const format = FORMATS[name];
    if (format === undefined) throw new Error(name);
    const parser = new ConsoleParser(formatOf(format.profile, GUEST));
    const line = Buffer.from(`${format.line('1', '1')}\n`.repeat(10_000));
    expect(parser.push(line, 0).filter(({ kind }) => kind === 'status')).toHaveLength(400);
    const later = parser.push(Buffer.from(`${format.line('1', '1')}\n`), 10_000);
    expect(later).toMatchObject([{ kind: 'shed', lines: 9_600 }, { kind: 'status' }]);
  });

  it('takes a line that several patterns match for a report first, and for a goodbye last', () => {
    const all: ConsoleProfile = { format: 'regex', ready: 'up', status: 'up|load', bye: 'down|up|over' };
    expect(parse(all, 'up\n').map(({ kind }) => kind)).toEqual(['status']);
    expect(parse({ ...all, status: 'load' }, 'up\nover\n').map(({ kind }) => kind)).toEqual(['ready', 'bye']);
  });
});
