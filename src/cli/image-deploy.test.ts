import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { FleetCalls } from '../app/mod.ts';
import { ShoalError } from '../errors.ts';
import { BUILT_IN_PROFILE, type ImageInfo } from '../hypervisor/mod.ts';
import { imageCommand } from './image.ts';
import { begun, deployOver, endsOfRollBack, rollBackOver } from './image-deploy.ts';
import type { ImageRow } from './image-rows.ts';
import { parse } from './parse.ts';

const [OLD, NEW] = ['0'.repeat(64), '1'.repeat(64)];
const ORDER = { canary: 2, canary_ms: 3_000 };
const PART_BYTES = 384 * 1024;

interface Sent {
  readonly verb: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly host: string | undefined;
}

function row(host: string, phase: string, more: Readonly<Record<string, unknown>> = {}): unknown {
  const ended_ms = ['checking', 'canary', 'rolling', 'rolling-back'].includes(phase) ? null : 2;
  const deploy = {
    image: NEW,
    before: OLD,
    phase,
    why: null,
    canary: 1,
    canary_ms: 10_000,
    started_ms: 1,
    ended_ms,
    ...more,
  };
  return { host, image: OLD, before: null, vms: [], deploy };
}

/** A fleet whose hosts answer as they are told to; an error is thrown. */
function fleet(answer: (verb: string, host: string) => unknown, hosts: readonly string[] = ['a']) {
  const sent: Sent[] = [];
  const said = (verb: string, args: unknown, host: string): unknown => {
    // The commands send objects only.
    sent.push({ verb, args: args as Sent['args'], host });
    const value = answer(verb, host);
    if (value instanceof Error) throw value;
    return value;
  };
  const calls: FleetCalls = {
    ask: async (verb, args, host = 'any') => said(verb, args, host),
    every: async (verb, args) =>
      hosts.map((host) => {
        try {
          return { host, value: said(verb, args, host), error: undefined };
        } catch (error) {
          return { host, value: undefined, error };
        }
      }),
  };
  return { calls, sent };
}

let stderr: string[];
beforeEach(() => {
  stderr = [];
  const written = vi.spyOn(process.stderr, 'write').mockImplementation((text) => stderr.push(String(text)) > 0);
  const printed = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  onTestFinished(() => {
    written.mockRestore();
    printed.mockRestore();
  });
});

function image(hasCompanion = false): { readonly image: ImageInfo; readonly content: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-deploy-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'image');
  const content = Buffer.alloc(PART_BYTES + 10, 'shoal');
  writeFileSync(path, content);
  writeFileSync(`${path}.boot`, 'boot');
  const companion = hasCompanion ? { path: `${path}.boot`, digest: OLD, bytes: 4 } : undefined;
  const one = { path, digest: NEW, fileDigest: NEW, bytes: content.length, profile: BUILT_IN_PROFILE, companion };
  return { image: one, content };
}

const flags = (line: string) => parse(imageCommand, line.split(' ')).flags;
const DEPLOY = flags('deploy x');
const WAIT = flags('deploy x --wait --timeout 1');

test.each([false, true])(
  'an image is sent in parts, then kept, then deployed; with what it boots with: %s',
  async (hasBoot) => {
    const { calls, sent } = fleet((verb) => (verb === 'image-offer' ? { has: false } : row('a', 'checking')));
    const { image: one, content } = image(hasBoot);
    expect(await deployOver(calls, DEPLOY, one, ORDER)).toBe(0);
    const of = (file: string) => sent.filter(({ args }) => args['file'] === file).map(({ args }) => args);
    const read = (file: string) => Buffer.concat(of(file).map(({ part }) => Buffer.from(String(part), 'base64')));
    expect(of('image').map(({ at, bytes }) => [at, bytes])).toEqual([
      [0, content.length],
      [PART_BYTES, content.length],
    ]);
    expect([read('image').equals(content), read('boot').toString()]).toEqual([true, hasBoot ? 'boot' : '']);
    expect(sent.slice(-2)).toEqual([
      { verb: 'image-keep', args: { digest: NEW, profile: BUILT_IN_PROFILE, boot: hasBoot }, host: 'a' },
      { verb: 'image-deploy', args: { digest: NEW, ...ORDER }, host: 'a' },
    ]);
  },
);

test('nothing is sent to a host that has the image', async () => {
  const { calls, sent } = fleet((verb) => (verb === 'image-offer' ? { has: true } : row('a', 'checking')));
  expect(await deployOver(calls, DEPLOY, image().image, ORDER)).toBe(0);
  expect(sent.map(({ verb }) => verb)).toEqual(['image-offer', 'image-deploy']);
});

test('a host that refuses keeps no other from its deploy, and is told of', async () => {
  const refusal = new ShoalError('DEPLOY_RUNNING', 'another one');
  const answer = (verb: string, host: string) =>
    verb === 'image-offer' ? { has: true } : host === 'a' ? refusal : row(host, 'checking');
  const many = fleet(answer, ['a', 'b']);
  expect(await deployOver(many.calls, DEPLOY, image().image, ORDER)).toBe(1);
  expect(many.sent.at(-1)).toMatchObject({ verb: 'image-deploy', host: 'b' });
  expect(stderr.join('')).toContain('a: another one [DEPLOY_RUNNING]');
  const { calls } = fleet(answer);
  await expect(deployOver(calls, DEPLOY, image().image, ORDER)).rejects.toBe(refusal);
});

test.each([
  ['deployed', row('a', 'deployed'), 0],
  ['refused', row('a', 'refused'), 1],
  ['rolled back', row('a', 'rolled-back'), 1],
  ['followed by another, which goes well', row('a', 'deployed', { started_ms: 9 }), 1],
])('a deploy that is waited for is %s', async (_, last, exitCode) => {
  const { calls, sent } = fleet((verb) => {
    if (verb === 'image-offer') return { has: true };
    if (verb === 'image-deploy') return row('a', 'rolling');
    // A host that is away for a moment.
    return sent.filter((one) => one.verb === 'image-status').length === 1 ? new Error('away') : last;
  });
  expect(await deployOver(calls, WAIT, image().image, ORDER)).toBe(exitCode);
});

test('a deploy that goes on for longer than is waited for is told of', async () => {
  const { calls } = fleet((verb) => (verb === 'image-offer' ? { has: true } : row('a', 'rolling')));
  expect(await deployOver(calls, WAIT, image().image, ORDER)).toBe(1);
  expect(stderr.at(-1)).toContain('is still under way on a after 1 s');
});

test('a roll-back is well whether it gives up a deploy or undoes one, and a host without a deploy is no news', async () => {
  const none = new ShoalError('DEPLOY_NONE', 'none');
  for (const phase of ['rolled-back', 'refused', 'deployed']) {
    const { calls } = fleet((_verb, host) => (host === 'b' ? none : row(host, phase)), ['a', 'b']);
    expect(await rollBackOver(calls, WAIT)).toBe(0);
  }
  const { calls } = fleet((_verb, host) => (host === 'b' ? new Error('broken') : row(host, 'rolled-back')), ['a', 'b']);
  expect(await rollBackOver(calls, WAIT)).toBe(1);
  expect(stderr.join('')).toContain('b: ');
});

function hostRow(image: string): ImageRow {
  const deploy = { before: OLD, phase: 'checking', why: null, started_ms: 7, ended_ms: null };
  const answers = { canary: 1, canary_ms: 0, new_answers: null, new_errors: null };
  return { host: 'a', image: OLD, before: null, vms: [], deploy: { image, ...deploy, ...answers } };
}

test('a deploy is not taken for ours that somebody has begun after ours was ended', () => {
  expect(begun(hostRow(NEW), NEW)).toEqual(hostRow(NEW));
  expect(() => begun(hostRow(OLD), NEW)).toThrow('it was ended at once, and image 000000000000 is checked');
});

test('a roll-back that undoes a deploy has failed if it is rolled back itself', () => {
  const undone = { ...hostRow(NEW), before: NEW };
  const inPhase = (row: ImageRow, phase: string): ImageRow =>
    row.deploy === null ? row : { ...row, deploy: { ...row.deploy, phase } };
  expect(endsOfRollBack(inPhase(undone, 'rolling'))).toEqual(['deployed']);
  for (const phase of ['rolling-back', 'rolled-back', 'refused']) {
    expect(endsOfRollBack(inPhase(hostRow(NEW), phase))).toContain('rolled-back');
  }
});
