import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConsoleEvent } from './console-event.ts';
import { ConsoleParser, LINE_BYTES_MAX } from './console-parser.ts';
import { ContractFormat } from './formats/format-of.ts';

const MIB = 1024 * 1024;

function parse(text: string | Uint8Array, nowMs = 0): readonly ConsoleEvent[] {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  return new ConsoleParser(new ContractFormat(16 * MIB)).push(bytes, nowMs);
}

const READY =
  'shoal1 ready v=1 bind=10.0.2.15/24 addr=127.0.0.1:9000 port=9000 max=65536 idempotent=1 ops=upper,sha256\n';
const STATUS = 'shoal1 status seq=2 cpu=0.3 ram=1187840 inflight=1 served=7\n';

describe('console parser', () => {
  it('tells with the reason of an end what the guest says of it besides', () => {
    const reason = (line: string) => parse(`\nshoal1 bye ${line}\n`);
    expect(reason('reason=bad-argument key=shoal.max value=5 why=too-little-memory')).toEqual([
      { kind: 'bye', reason: 'bad-argument (shoal.max=5: too-little-memory)' },
    ]);
    expect(reason('reason=bad-service why=syntax-error')).toEqual([
      { kind: 'bye', reason: 'bad-service (syntax-error)' },
    ]);
    expect(reason('reason=stop why=asked')).toEqual([{ kind: 'bye', reason: 'stop' }]);
  });

  it('reads the lines of the contract', () => {
    expect(parse(`\n${READY}\n${STATUS}\nshoal1 relay a b=c  d\n\nshoal1 bye reason=stop\n`)).toEqual([
      {
        kind: 'ready',
        bind: '10.0.2.15/24',
        addr: '127.0.0.1:9000',
        guest: { textBytesMax: 65536, idempotent: true, operations: ['upper', 'sha256'] },
      },
      { kind: 'status', report: { seq: 2, cpuPercent: 0.3, ramBytes: 1187840, inFlight: 1, served: 7 } },
      { kind: 'relay', line: 'a b=c  d' },
      { kind: 'bye', reason: 'stop' },
    ]);
  });

  it('leaves everything else to the log, the end of a line being \\n or \\r\\n', () => {
    expect(parse('hello\r\nshoal1status\n shoal1 status seq=1\n')).toEqual([
      { kind: 'log', text: 'hello' },
      { kind: 'log', text: 'shoal1status' },
      { kind: 'log', text: ' shoal1 status seq=1' },
    ]);
  });

  it('takes away whatever a terminal would obey', () => {
    const text = 'a\u001b[31mred\u001b[0m\u001b]0;title\u0007b\u0000c\u009b1md\u202eevil\te\n';
    expect(parse(text)).toEqual([{ kind: 'log', text: 'ared]0;titlebc1mdevil e' }]);
  });

  it('takes a ready line with as many as sixty-four operations', () => {
    const ready = (count: number): string => {
      const ops = Array.from({ length: count }, (_, at) => `op${at}`).join(',');
      return READY.replace('ops=upper,sha256', `ops=${ops}`);
    };
    expect(parse(ready(64))).toMatchObject([{ kind: 'ready' }]);
    expect(parse(ready(65))).toMatchObject([{ kind: 'refused' }]);
  });

  it.each([
    ['cpu=100.1', 'seq=1 cpu=100.1 ram=1 inflight=0 served=0'],
    ['cpu=-1', 'seq=1 cpu=-1 ram=1 inflight=0 served=0'],
    ['cpu=NaN', 'seq=1 cpu=NaN ram=1 inflight=0 served=0'],
    ['cpu=1e2', 'seq=1 cpu=1e2 ram=1 inflight=0 served=0'],
    ['ram beyond the VM', `seq=1 cpu=1 ram=${17 * MIB} inflight=0 served=0`],
    ['ram in hexadecimal', 'seq=1 cpu=1 ram=0x10 inflight=0 served=0'],
    ['seq beyond 2^53', 'seq=9007199254740993 cpu=1 ram=1 inflight=0 served=0'],
    ['a hundred digits', `seq=${'9'.repeat(100)} cpu=1 ram=1 inflight=0 served=0`],
    ['an absurd inflight', 'seq=1 cpu=1 ram=1 inflight=1000001 served=0'],
    ['a missing figure', 'seq=1 cpu=1 ram=1 inflight= served=0'],
    ['a figure left out', 'seq=1 cpu=1 ram=1 served=0'],
    ['a figure given twice', 'seq=1 seq=2 cpu=1 ram=1 inflight=0 served=0'],
    ['a word without value', 'seq=1 cpu=1 ram=1 inflight=0 served=0 extra'],
    ['an escape', 'seq=1 cpu=1 ram=1 inflight=0 served=0\u001b[2J'],
  ])('refuses a status line with %s', (_name, fields) => {
    expect(parse(`shoal1 status ${fields}\n`)).toMatchObject([{ kind: 'refused' }]);
  });

  it('ignores fields of a later contract and refuses kinds that it does not know', () => {
    expect(parse(STATUS.replace('\n', ' heat=3\n'))).toMatchObject([{ kind: 'status' }]);
    expect(parse('shoal1 explode now=1\n')).toMatchObject([{ kind: 'refused', text: 'shoal1 explode now=1' }]);
    expect(parse('shoal1 \n')).toMatchObject([{ kind: 'refused' }]);
  });

  it('cuts an endless line, shows its beginning at once, and reads on after it', () => {
    const parser = new ConsoleParser(new ContractFormat(MIB));
    expect(parser.push(Buffer.alloc(LINE_BYTES_MAX + 1, 'x'), 0)).toEqual([
      { kind: 'log', text: 'x'.repeat(LINE_BYTES_MAX) },
    ]);
    for (let i = 0; i < 100; i++) expect(parser.push(Buffer.alloc(100_000, 'x'), 0)).toEqual([]);
    expect(parser.push(Buffer.from('\nshoal1 bye reason=stop\n'), 0)).toEqual([{ kind: 'bye', reason: 'stop' }]);
    const typed = parse(READY.replace(' ops=', ' payload=bytes ops='));
    expect(typed).toMatchObject([{ kind: 'ready', guest: { payload: 'bytes' } }]);
    expect(parse(READY.replace(' ops=', ' payload=text ops='))).toEqual(parse(READY));
    expect(parse(READY.replace(' ops=', ' payload=html ops='))).toMatchObject([{ kind: 'refused' }]);
    const bad = 'shoal1 bye reason=bad-argument key=shoal.max value=1048576 why=too-little-memory\n';
    const reason = 'bad-argument (shoal.max=1048576: too-little-memory)';
    expect(parser.push(Buffer.from(bad), 0)).toEqual([{ kind: 'bye', reason }]);
    expect(parse(`shoal1 ${'x'.repeat(LINE_BYTES_MAX)}\n`)).toMatchObject([{ kind: 'refused' }]);
  });

  it('sheds a flood, counts what it shed, and lets reports through meanwhile', () => {
    const parser = new ConsoleParser(new ContractFormat(16 * MIB));
    const flood = parser.push(Buffer.from('noise\n'.repeat(5_000)), 0);
    expect(flood).toHaveLength(1_000);
    expect(parser.push(Buffer.from(STATUS), 0)).toMatchObject([{ kind: 'shed', lines: 4_000 }, { kind: 'status' }]);
    expect(parser.push(Buffer.from('noise\n'.repeat(1_000)), 1_000)).toHaveLength(200);
  });

  it('gives the same events however its input is split', () => {
    const piece = fc.oneof(
      fc.constantFrom(READY, STATUS, '\n', '\r\n', 'shoal1 ', 'shoal1 relay x\n', '\u001b[31m', 'naïve – text\n'),
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.nat({ max: 2 * LINE_BYTES_MAX }).map((length) => 'y'.repeat(length)),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 20 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 600 })),
        (pieces, sizes) => {
          const bytes = Buffer.from(pieces.join(''));
          const parser = new ConsoleParser(new ContractFormat(16 * MIB));
          const events: ConsoleEvent[] = [];
          for (let at = 0; at < bytes.length; ) {
            const size = sizes.next().value ?? 1;
            events.push(...parser.push(bytes.subarray(at, at + size), 0));
            at += size;
          }
          expect(events).toEqual(parse(bytes));
        },
      ),
    );
  });

  it('never throws and never says more than its limits, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 2_000 }), { maxLength: 10 }), (chunks) => {
        const parser = new ConsoleParser(new ContractFormat(MIB));
        for (const chunk of chunks) {
          for (const event of parser.push(chunk, 0)) {
            if (event.kind === 'log' || event.kind === 'refused') expect(event.text).not.toMatch(/\p{Cc}/u);
          }
        }
      }),
    );
  });
});
