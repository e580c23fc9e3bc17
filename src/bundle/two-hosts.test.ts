/** The guest (C++) and the runner (Node) drive the same engine: what both have to know stands in the sources of both. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CONTENT_TYPE_CHARS_MAX } from '../content-type.ts';
import { OPERATION_CHARS_MAX, OPERATIONS_MAX } from '../operation-name.ts';
import { serviceFile } from './service-file.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const source = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const guest = (path: string): string => source(join('includeos', path));

/** What a pattern finds in a source, which must have it. */
function found(text: string, pattern: RegExp): string {
  return pattern.exec(text)?.[1] ?? expect.unreachable(`the source has ${pattern}`);
}

const runner = source('src/bundle/runner.ts');
const engine = guest('engine/engine.cpp');
const prelude = guest('engine/prelude.js');

test('the stack of a script', () => {
  const [bytes, kib] = [found(runner, /STACK_BYTES = ([\d_]+);/), found(guest('engine/snapshot.mjs'), /(\d+) << 10;/)];
  expect(Number(bytes.replaceAll('_', ''))).toBe(Number(kib) * 1024);
});

test.each([
  [
    'that memory is lacking',
    /TOO_LARGE = '(.*)'/,
    /kTooMuchMemory = "(.*)"/,
    /result = '(the operation takes more memory.*)'/,
  ],
  [
    'what the engine throws for that',
    /OUT_OF_MEMORY = 'InternalError: (.*)'/,
    /kOutOfMemory = "InternalError: (.*)"/,
    /error\.message === '(.*)'/,
  ],
])('how a client, or a host, is told: %s', (_, ofRunner, ofGuest, ofPrelude) => {
  const told = found(runner, ofRunner);
  expect([found(engine, ofGuest), found(prelude, ofPrelude)]).toEqual([told, told]);
});

test('that the stack is exhausted', () => {
  const told = found(source('src/bundle/engine.ts'), /STACK_EXHAUSTED = '(.*)'/);
  expect(found(engine, /WASM_RT_TRAP_EXHAUSTION: return \{.*, 400, "(.*)", /)).toBe(told);
});

test('the file of a service', () => {
  const facts = { operations: ['a'], idempotent: false, state: 'fresh', payload: 'text' } as const;
  const version = found(
    serviceFile(facts, { file: '', script: '', notes: [], placeOf: () => undefined }).toString(),
    /^shoal-service (.*)\n/,
  );
  expect(found(guest('engine/service_file.cpp'), /value != "(.*)"\) return "it has another version/)).toBe(version);
  const limits = guest('engine/service_file.h');
  expect(found(limits, /kOperationsMax = (\d+);/)).toBe(String(OPERATIONS_MAX));
  expect(found(limits, /kOperationNameMax = (\d+);/)).toBe(String(OPERATION_CHARS_MAX));
});

test('how long an error, and a content type, may be', () => {
  const chars = found(prelude, /MESSAGE_MAX = (\d+);/);
  expect(found(engine, /400, utf8_prefix\(shown\.text, (\d+)\)/)).toBe(chars);
  expect(found(guest('core/content_type.h'), /kContentTypeMax = (\d+);/)).toBe(String(CONTENT_TYPE_CHARS_MAX));
  expect(found(prelude, /isContentType = .*\{1,(\d+)\}/)).toBe(String(CONTENT_TYPE_CHARS_MAX));
});

test('how much of a text is logged', () => {
  const bytes = found(runner, /LOG_BYTES_MAX = ([\d_]+);/).replaceAll('_', '');
  expect(found(engine, /kLogTextMax = (\d+);/)).toBe(bytes);
});

test('how many rejections are told', () => {
  const kept = found(engine, /kRejectedMax = (\d+);/);
  expect(found(source('src/bundle/engine.ts'), /REJECTED_MAX = (\d+);/)).toBe(kept);
});
