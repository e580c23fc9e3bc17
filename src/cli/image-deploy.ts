import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { systemClock } from '../actors/mod.ts';
import { CANARIES_MAX, CANARY_SECONDS_MAX, type FleetCalls, withFleet } from '../app/mod.ts';
import { rowIn } from '../console/mod.ts';
import { codeOf, messageWithCode, ShoalError } from '../errors.ts';
import { shortDigest } from '../fleet/mod.ts';
import { type ImageInfo, loadImage } from '../hypervisor/mod.ts';
import { heard, hostOf } from './asked-hosts.ts';
import type { Command, Flag, Flags } from './command.ts';
import { fleetOf } from './find.ts';
import { withImage } from './image-of-service.ts';
import { hasEnded, type ImageRow, imageRow, imageTable, stepOf } from './image-rows.ts';
import { printable, printData, printJson, say } from './output.ts';
import { usage } from './parse.ts';
import { profileChoice } from './settings.ts';

export const DEPLOY_FLAGS: readonly Flag[] = [
  {
    name: 'canary',
    value: 'N',
    about: 'VMs of the new image that serve for a while before the rest follow (default: 1; 0: none)',
  },
  {
    name: 'canary-time',
    value: 'SECONDS',
    about: 'how long they serve at the most, if they answer fewer than 1000 requests (default: 10)',
  },
  { name: 'wait', about: 'waits until the deploy has ended; exits 1 if it was refused or rolled back' },
  { name: 'timeout', value: 'SECONDS', about: 'how long --wait waits (default: 600); the deploy goes on after that' },
];

const CANARY_SECONDS = 10;
const WAIT_SECONDS = 600;
const WAIT_SECONDS_MAX = 86_400;
const LOOK_MS = 300;
/** In base 64 below the 1 MiB that a NATS server takes. */
const PART_BYTES = 384 * 1024;

/** `shoal image deploy FILE`: sends the image to each host that lacks it, and has each begin. */
export async function deployImage(command: Command, flags: Flags, file: string | undefined): Promise<number> {
  if (file === undefined) throw usage(command, 'give the file to deploy');
  const canary = flags.whole('canary', { min: 0, max: CANARIES_MAX }) ?? 1;
  const seconds = flags.whole('canary-time', { min: 0, max: CANARY_SECONDS_MAX }) ?? CANARY_SECONDS;
  const order = { canary, canary_ms: seconds * 1_000 };
  return withImage(resolve(file), async (path) => {
    const image = await loadImage(path, profileChoice(command, flags));
    return withFleet(fleetOf(flags), 'image', (calls) => deployOver(calls, flags, image, order));
  });
}

interface Order {
  readonly canary: number;
  readonly canary_ms: number;
}

/** @returns the exit code */
export async function deployOver(calls: FleetCalls, flags: Flags, image: ImageInfo, order: Order): Promise<number> {
  const { digest } = image;
  const offered = heard(await calls.every('image-offer', { digest }, hostOf(flags)));
  const told: ImageRow[] = [];
  let exitCode = offered.exitCode;
  for (const { host, value } of offered.values) {
    try {
      if (!rowIn<{ has: boolean }>('image-offer', value, { has: 'boolean' }).has) {
        await send(calls, host, image);
      }
      told.push(begun(imageRow(await calls.ask('image-deploy', { digest, ...order }, host)), digest));
    } catch (error) {
      if (offered.values.length === 1) throw error;
      exitCode = 1;
      say(printable(`shoal: ${host}: ${messageWithCode(error)}`));
    }
  }
  const end = await waited(calls, flags, told, `image ${shortDigest(digest)}`);
  return Math.max(exitCode, end);
}

/**
 * @returns the row, if its deploy is of that image
 * @throws DEPLOY_RUNNING if ours has ended before the host had told of it, and another one has begun
 */
export function begun(row: ImageRow, digest: string): ImageRow {
  if (row.deploy?.image === digest) return row;
  const name = shortDigest(digest);
  throw new ShoalError(
    'DEPLOY_RUNNING',
    `The deploy of image ${name} is no longer the last one on ${row.host}: it was ended at once, and ${stepOf(row)}`,
    { details: { image: digest, host: row.host } },
  );
}

/** `shoal image rollback`. */
export async function rollBackImage(flags: Flags): Promise<number> {
  return withFleet(fleetOf(flags), 'image', (calls) => rollBackOver(calls, flags));
}

/** @returns the exit code */
export async function rollBackOver(calls: FleetCalls, flags: Flags): Promise<number> {
  const isNews = (error: unknown): boolean => codeOf(error) !== 'DEPLOY_NONE';
  const { values, exitCode } = heard(await calls.every('image-rollback', {}, hostOf(flags)), isNews);
  const rows = values.map(({ value }) => imageRow(value));
  const end = await waited(calls, flags, rows, 'the roll-back', endsOfRollBack);
  return Math.max(exitCode, end);
}

/** `shoal image status`. */
export async function imageStatus(flags: Flags): Promise<number> {
  return withFleet(fleetOf(flags), 'image', async (calls) => {
    const { values, exitCode } = heard(await calls.every('image-status', {}, hostOf(flags)));
    show(
      flags,
      values.map(({ value }) => imageRow(value)),
    );
    return exitCode;
  });
}

async function send(calls: FleetCalls, host: string, { path, digest, profile, companion }: ImageInfo): Promise<void> {
  await sendFile(calls, host, { digest, file: 'image' }, path);
  if (companion !== undefined) await sendFile(calls, host, { digest, file: 'boot' }, companion.path);
  await calls.ask('image-keep', { digest, profile, boot: companion !== undefined }, host);
}

/** The digest is checked at the other end: a file that changes meanwhile is refused there. */
async function sendFile(
  calls: FleetCalls,
  host: string,
  of: { readonly digest: string; readonly file: 'image' | 'boot' },
  path: string,
): Promise<void> {
  const content = await readFile(path);
  for (let at = 0; at < content.length; at += PART_BYTES) {
    const part = content.subarray(at, at + PART_BYTES).toString('base64');
    await calls.ask('image-part', { ...of, bytes: content.length, at, part }, host);
  }
}

/** @param wanted the phases that it ends in if all goes well, by what the host told at its beginning */
async function waited(
  calls: FleetCalls,
  flags: Flags,
  told: readonly ImageRow[],
  what: string,
  wanted: (told: ImageRow) => readonly string[] = () => ['deployed'],
): Promise<number> {
  if (!flags.has('wait')) {
    show(flags, told);
    return 0;
  }
  const seconds = flags.whole('timeout', { min: 1, max: WAIT_SECONDS_MAX }) ?? WAIT_SECONDS;
  const endMs = systemClock.monotonic() + seconds * 1_000;
  const rows = new Map(told.map((row) => [row.host, row]));
  const said = new Map<string, string>();
  const ours = new Map(told.map(({ host, deploy }) => [host, deploy?.started_ms]));
  const isOurs = ({ host, deploy }: ImageRow): boolean => deploy?.started_ms === ours.get(host);
  for (;;) {
    for (const row of rows.values()) {
      if (isOurs(row)) tellStep(row, said, rows.size > 1);
      else tellReplaced(row, what, said);
    }
    const open = [...rows.values()].filter((row) => isOurs(row) && !hasEnded(row));
    if (open.length === 0) break;
    if (systemClock.monotonic() >= endMs) {
      show(flags, [...rows.values()]);
      const names = open.map(({ host }) => host).join(', ');
      say(
        printable(
          `shoal: ${what} is still under way on ${names} after ${seconds} s, and goes on: \`shoal image status\``,
        ),
      );
      return 1;
    }
    await new Promise<void>((resolve) => systemClock.timer(LOOK_MS, resolve));
    for (const { host } of open) {
      // A host that is being restarted goes on when it is back.
      const value = await calls.ask('image-status', {}, host).catch(() => undefined);
      if (value !== undefined) rows.set(host, imageRow(value));
    }
  }
  show(flags, [...rows.values()]);
  const ends = new Map(told.map((row) => [row.host, wanted(row)]));
  const isWell = (row: ImageRow): boolean =>
    isOurs(row) && ends.get(row.host)?.includes(row.deploy?.phase ?? '') === true;
  return [...rows.values()].every(isWell) ? 0 : 1;
}

/** A deploy is given up, or else the image before is deployed, which may fail as any deploy. */
export function endsOfRollBack({ deploy, before }: ImageRow): readonly string[] {
  const isDeploy = deploy?.phase === 'deployed' || (deploy?.phase === 'rolling' && deploy.image === before);
  return isDeploy ? ['deployed'] : ['deployed', 'rolled-back', 'refused'];
}

function tellStep(row: ImageRow, said: Map<string, string>, isMany: boolean): void {
  const step = stepOf(row);
  if (said.get(row.host) === step) return;
  said.set(row.host, step);
  say(printable(isMany ? `${row.host}: ${step}` : step));
}

/** How the one that was waited for has ended is not kept. */
function tellReplaced({ host, deploy }: ImageRow, what: string, said: Map<string, string>): void {
  const name = deploy === null ? 'none' : shortDigest(deploy.image);
  const step = `shoal: ${what} is no longer the last deploy on ${host}: it has ended, and that of image ${name} has begun`;
  if (said.get(host) !== step) say(printable(step));
  said.set(host, step);
}

function show(flags: Flags, rows: readonly ImageRow[]): void {
  if (flags.oneOf('output', ['table', 'json']) === 'json') printJson(rows);
  else printData(imageTable(rows));
}
