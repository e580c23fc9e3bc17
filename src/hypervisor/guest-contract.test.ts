import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OPERATION_CHARS_MAX } from '../operation-name.ts';
import { LINE_BYTES_MAX } from './console/console-parser.ts';
import { parseContractLine } from './console/contract-line.ts';
import { MEMORY_MIB } from './controller/controller-options.ts';
import {
  FRAME_BYTES_MAX,
  type FrameSink,
  FrameType,
  HEADER_BYTES,
  TOKEN_BYTES_MAX,
  TYPE_BYTES_MAX,
} from './link/frame.ts';
import { FrameParser } from './link/frame-parser.ts';
import { FrameWriter } from './link/frame-writer.ts';
import { parseGuestError } from './link/guest-error.ts';
import { REPLY_BYTES_MAX_LEAST } from './link/link.ts';
import { EXIT_CODE_STOPPED } from './profile/shipped.ts';
import { EXIT_CODE_BAD_ARGUMENT, EXIT_CODE_PANIC, guestCommandLine } from './qemu/argv.ts';
import { exampleFrames, readContract } from './testing/guest-contract.ts';

const ROOT = join(import.meta.dirname, '../..');
const contract = readContract();
const guest = (path: string): string => readFileSync(join(ROOT, 'includeos', path), 'utf8');

const RAM_BYTES_MAX = MEMORY_MIB * 1024 * 1024;
const parse = (line: string) => parseContractLine(line, RAM_BYTES_MAX);

const UUID = '8c6d4a1e-0f3b-4d52-9a77-2b1c5e60d9f4';

describe('docs/guest-contract.md', () => {
  it('names the types of frames, and what is no frame, as both sides have them', () => {
    const rows = contract.table('type', 'number', 'who sends it', 'what it is');
    const camel = (name: string): string => name.replace(/[ _](\w)/g, (_, letter: string) => letter.toUpperCase());
    const documented = Object.fromEntries(rows.map(([name = '', number]) => [camel(name), Number(number)]));
    expect(documented).toEqual(FrameType);
    const inGuest = [...guest('core/frame.h').matchAll(/^ {2}(\w+) = (\d+),/gm)].map(
      ([, name = '', number]) => [camel(name), Number(number)] as const,
    );
    expect(Object.fromEntries(inGuest)).toEqual(documented);
  });

  it('lays the header out as the writer does', () => {
    const rows = contract
      .table('offset', 'bytes', 'field', 'what it is')
      .map(([offset, bytes]) => [offset, bytes].map(Number));
    const ends = rows.map(([offset = 0, bytes = 0]) => offset + bytes);
    expect(rows.map(([offset]) => offset)).toEqual([0, ...ends.slice(0, -1)]);
    expect(ends.at(-1)).toBe(HEADER_BYTES);
  });

  it('tells a guest what the command line does, and the guest reads just that', () => {
    const rows = contract.table('key', 'example', 'what it is');
    const address = { id: 1, ip: '127.0.10.1', port: 9000 };
    const spec = { vm: 7, address, image: '', imageDigest: '', accelerator: 'tcg', memoryMib: 16 } as const;
    const full = { ...spec, statusIntervalMs: 1_000, textBytesMax: 1_048_576 };
    const told = guestCommandLine(full, UUID);
    expect(rows.map(([key, example]) => `${code(key)}=${code(example)}`).join(' ')).toBe(told);
    const read = [...guest('core/settings.cpp').matchAll(/reader\.read\("([\w.]+)"/g)].map(([, key]) => key);
    const [link] = contract.table('key', 'example', 'what it is in the place of');
    const alone = guestCommandLine({ ...full, network: 'none' }, UUID).split(' ');
    expect(alone).toContain(`${code(link?.[0])}=${code(link?.[1])}`);
    const ofNetworks = [...(link?.[2] ?? '').matchAll(/`(shoal\.\w+)`/g)].map(([, key]) => key);
    const others = told.split(' ').filter((word) => !ofNetworks.includes(word.split('=')[0] ?? ''));
    expect(alone.slice(0, -1)).toEqual(others);
    expect(new Set(read)).toEqual(new Set([...rows.map(([key]) => code(key)), code(link?.[0])]));
  });

  it('shows the ready line with each of its fields; those that Shoal needs it misses', () => {
    const rows = contract.table('key', 'example', 'what it is', 'Shoal checks');
    const line = (without?: string) => lineOf('ready', rows, without);
    expect(parse(line())).toMatchObject({ kind: 'ready', guest: { operations: ['upper', 'lower'], idempotent: true } });
    for (const [key, , , checks] of rows) {
      expect([key, parse(line(key)).kind]).toEqual([key, checks === 'nothing' ? 'ready' : 'refused']);
    }
  });

  it('gives the figures of a status line their limits', () => {
    const rows = contract.table('key', 'example', 'least', 'most', 'what it is');
    expect(parse(lineOf('status', rows)).kind).toBe('status');
    for (const [key = '', , least, most] of rows) {
      const top = most === "the VM's memory" ? RAM_BYTES_MAX : Number(most);
      const of = (value: number) =>
        parse(
          lineOf(
            'status',
            rows.map((row) => (row[0] === key ? [key, `\`${value}\``] : row)),
          ),
        ).kind;
      expect([key, of(Number(least)), of(top), of(top + 1), of(-1)]).toEqual([
        key,
        'status',
        'status',
        'refused',
        'refused',
      ]);
      expect([key, parse(lineOf('status', rows, key)).kind]).toEqual([key, 'refused']);
    }
  });

  it('lists the codes that the guest gives, with what comes of them', () => {
    const rows = contract.table('code', 'when', 'what Shoal passes on');
    for (const [number, , passedOn] of rows) {
      const { status } = parseGuestError(Buffer.from(`${number} why`));
      expect([number, status]).toEqual([number, Number(passedOn)]);
    }
    const inGuest = [...guest('core/http_head.cpp').matchAll(/case ([45]\d\d):/g)].map(([, number]) => number);
    expect(rows.map(([number]) => number)).toEqual(inGuest);
  });

  it('gives the exit codes that both sides know', () => {
    const rows = contract.table('written', 'exit code', 'what Shoal takes it for');
    expect(rows.map(([, exitCode]) => Number(exitCode))).toEqual([
      EXIT_CODE_STOPPED,
      EXIT_CODE_BAD_ARGUMENT,
      EXIT_CODE_PANIC,
    ]);
    for (const [written, exitCode] of rows) expect(Number(written) * 2 + 1).toBe(Number(exitCode));
    const inGuest = [...guest('builtin/layout.h').matchAll(/^#define POWER_OFF_\w+ (0x2\d)/gm)].map(
      ([, value]) => value,
    );
    expect(inGuest).toEqual(rows.map(([written]) => written));
  });

  it('gives the limits of both sides', () => {
    const rows = contract.table('limit', 'Shoal', 'the guest here');
    const shoal = {
      'header, bytes': HEADER_BYTES,
      'length of a frame, bytes': FRAME_BYTES_MAX,
      'operation, bytes': OPERATION_CHARS_MAX,
      'token, bytes': TOKEN_BYTES_MAX,
      'content type, bytes': TYPE_BYTES_MAX - 1,
      'reply where texts must be shorter, bytes': REPLY_BYTES_MAX_LEAST,
      'console line, bytes': LINE_BYTES_MAX,
      'connections that are served': 1,
    };
    expect(
      Object.fromEntries(rows.flatMap(([name = '', bytes]) => (bytes === '' ? [] : [[name, Number(bytes)]]))),
    ).toEqual(shoal);
    expect(rows.map(([name, , value]) => [name, Number(value)])).toEqual([
      ['header, bytes', constant('core/frame.h', 'kSize')],
      ['length of a frame, bytes', constant('core/frame.h', 'kLengthMax')],
      ['operation, bytes', 0xff],
      ['token, bytes', constant('core/frame.h', 'kTokenMax')],
      ['content type, bytes', constant('core/content_type.h', 'kContentTypeMax')],
      ['reply where texts must be shorter, bytes', constant('core/memory_budget.cpp', 'kReplyMaxLeast')],
      ['console line, bytes', number(guest('core/telemetry.cpp'), /TextWriter<(2048)> line;/)],
      ['line of console input, bytes', constant('core/console_input.h', 'kLineMax')],
      ['connections that are served', constant('core/capacity.h', 'kConnectionMax')],
      ['of these over HTTP', constant('core/capacity.h', 'kHttpConnectionMax')],
      [
        'connections beside these: not known by their protocol yet, or told `503 busy`',
        constant('core/capacity.h', 'kTurnedAwayMax'),
      ],
      ['requests in the queue, over all connections', constant('core/capacity.h', 'kQueueMax')],
      ['kept replies', constant('core/kept_replies.h', 'kCountMax')],
      ['kept replies, bytes', constant('core/kept_replies.h', 'kBytesMax')],
      ['a kept reply is sent for, ms', constant('core/kept_replies.h', 'kSendNs') / 1e6],
      ['a kept reply answers for, ms', constant('core/kept_replies.h', 'kDedupNs') / 1e6],
      ['head of an HTTP request, bytes', constant('core/http_head.h', 'kSizeMax')],
    ]);
  });

  it('says how much memory a VM has', () => {
    expect(number(contract.text, /one virtual CPU, (\d+) MiB of memory/)).toBe(MEMORY_MIB);
  });

  it('has an example in which each side says what its own code would', () => {
    const frames = exampleFrames(contract);
    expect(frames.map(({ fromGuest }) => fromGuest)).toEqual([false, true, false, true, false, true]);
    for (const { bytes } of frames) {
      const writer = new FrameWriter();
      const sink: FrameSink = {
        frame: (type, low, _high, op, token, payload) => {
          const known = Object.values(FrameType).find((one) => one === type);
          if (known !== undefined) writer.append(known, low, 0, op, token, payload);
        },
      };
      new FrameParser(sink).push(bytes);
      expect(Buffer.concat(writer.take()).toString('hex')).toBe(bytes.toString('hex'));
    }
    for (const line of contract.text.match(/^shoal1 .*$/gm) ?? []) expect(parse(line).kind).not.toBe('refused');
  });
});

/** A cell without its code marks. */
function code(cell = ''): string {
  return cell.replaceAll('`', '');
}

function lineOf(kind: string, rows: readonly (readonly string[])[], without?: string): string {
  const shown = rows.filter(([key]) => key !== without);
  return `shoal1 ${kind} ${shown.map(([key, example]) => `${code(key)}=${code(example)}`).join(' ')}`;
}

/** The value of a constant in the guest's sources: a number, perhaps shifted. */
function constant(path: string, name: string): number {
  const match = new RegExp(`\\b${name} = ([\\d']+)(?: << (\\d+))?;`).exec(guest(path));
  if (match === null) throw new Error(`includeos/${path} has no constant ${name}`);
  return Number(match[1]?.replaceAll("'", '')) * 2 ** Number(match[2] ?? 0);
}

function number(text: string, pattern: RegExp): number {
  const match = pattern.exec(text);
  if (match === null) throw new Error(`nothing matches ${pattern}`);
  return Number(match[1]);
}
