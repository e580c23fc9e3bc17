/** `npm run demo [-- --json FILE]`: shows a fleet that grows under load and shrinks after it; exits 1 if it does not, or answers wrongly. */
import { accessSync, constants, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { codeOf } from '../src/errors.ts';
import { demo } from './demo.ts';
import { OwnFleet } from './own-fleet.ts';
import { complaints } from './verdict.ts';

const VMS_MAX = 8;
/** A fleet that shrinks as soon as it may, so that there is something to see in half a minute. */
const SETTINGS = ['--min', '1', '--set', 'free_count=3', '--set', 'status_interval_ms=500'];
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;
/** Under npm one Ctrl-C arrives twice: from the terminal and from npm. */
const SAME_PRESS_MS = 300;
const HELP = `npm run demo [-- --json FILE]

Brings up a fleet of unikernel VMs on this machine, sends it bursts of this repository's documentation to
count, and shows VMs starting under load and leaving after it. Takes about half a minute; leaves nothing behind.

  --json FILE  write the figures there, too
  --help       this text`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let file: string | undefined;
  try {
    const { json, help } = parseArgs({
      args: [...args],
      options: { json: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    }).values;
    if (help === true) {
      print(HELP);
      return 0;
    }
    file = json === undefined ? undefined : fileToWrite(json);
  } catch (error) {
    say(error);
    return EXIT_USAGE;
  }
  const interruption = new AbortController();
  const fleet = new OwnFleet(VMS_MAX, SETTINGS);
  listen(interruption, fleet);
  try {
    return await runOn(fleet, interruption.signal, file);
  } catch (error) {
    if (interruption.signal.aborted) return exitCodeOf(interruption.signal.reason);
    say(error);
    return EXIT_FAILED;
  } finally {
    await fleet.stop();
  }
}

/** Output that cannot be written is a failure, unless its reader has simply gone. */
function exitCodeOf(reason: unknown): number {
  const code = codeOf(reason);
  if (code === undefined || code === 'EPIPE' || code === 'ABORT_ERR') return EXIT_INTERRUPTED;
  say(reason);
  return EXIT_FAILED;
}

/** Resolves the path against the user's directory: npm runs us in the project's. @throws early if the folder is not writable */
function fileToWrite(path: string): string {
  const file = resolve(process.env['INIT_CWD'] ?? '.', path);
  accessSync(dirname(file), constants.W_OK);
  return file;
}

/** Ctrl-C ends the demo in order, once more at once. */
function listen(interruption: AbortController, fleet: OwnFleet): void {
  let firstMs = 0;
  const onSignal = (): void => {
    if (interruption.signal.aborted) {
      if (performance.now() - firstMs > SAME_PRESS_MS) fleet.hurry();
      return;
    }
    firstMs = performance.now();
    say('interrupted: ending everything that was started; once more ends it at once');
    interruption.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  // When nobody reads any more (`npm run demo | head`, a closed terminal), the fleet must still be stopped.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', (error) => interruption.abort(error));
}

async function runOn(fleet: OwnFleet, signal: AbortSignal, file: string | undefined): Promise<number> {
  print(`Starting a fleet of up to ${VMS_MAX} VMs at ${fleet.pool}, with its data in ${fleet.data} ...`);
  const { nats, fleet: name, accelerator } = await fleet.start(signal);
  print(`It runs, by ${accelerator}. Sending the documentation of this repository, to be counted, in three bursts.`);
  const isColoured = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';
  const figures = await demo({
    servers: nats,
    fleet: name,
    vmsMax: VMS_MAX,
    isColoured,
    print,
    signal: AbortSignal.any([signal, fleet.lost]),
  });
  const { requests, ok, vms_started, vms_stopped, p50_ms, p99_ms } = figures;
  print(
    `\n${ok} of ${requests} requests were answered correctly, half of them within ${p50_ms.toFixed(1)} ms, 99 % within ${p99_ms.toFixed(1)} ms.` +
      `\n${vms_started} VMs were started under load, and ${vms_stopped} were stopped after it.`,
  );
  const found = complaints(figures);
  for (const complaint of found) print(`Unexpected: ${complaint}.`);
  print(JSON.stringify(figures));
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(figures, null, 2)}\n`);
  return found.length === 0 ? 0 : 1;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function say(what: unknown): void {
  process.stderr.write(`demo: ${what instanceof Error ? what.message : String(what)}\n`);
}
