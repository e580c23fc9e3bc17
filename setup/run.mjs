import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { excerpt, latestLine } from './log.mjs';
import { Interrupted, Problem } from './problem.mjs';
import { Progress, say } from './progress.mjs';

/** How long a program that was told to end may take, before it is killed. */
const GRACE_MS = 10_000;
const INTERRUPTED = 'was interrupted';

/**
 * One call of one program, with its output in a log file and its progress on the terminal.
 *
 * @typedef {object} Job
 * @property {string} label what it does, as in "installing the npm packages"
 * @property {string} program
 * @property {readonly string[]} args
 * @property {string} logName the log file's name in `.setup/`
 * @property {number} timeoutMs
 * @property {Readonly<Record<string, string>>} [env] what is added to the environment
 */

/**
 * Runs a job to its end. Rejects with a `Problem` that shows its output if the program fails, takes too
 * long or cannot be started; with `Interrupted` if the set-up itself is told to end meanwhile.
 *
 * @param {import('./checkout.mjs').Checkout} checkout
 * @param {Job} job
 */
export async function run(checkout, job) {
  if (checkout.interrupted.aborted) throw new Interrupted('interrupted');
  const log = join(checkout.notes, job.logName);
  const output = openSync(log, 'w');
  const progress = new Progress(job.label, () => latestLine(log));
  const failure = await outcome(checkout, job, output);
  closeSync(output);
  progress.end(failure === undefined ? 'done' : 'failed');
  if (failure === undefined) return;

  const command = [job.program, ...job.args].join(' ');
  if (failure === INTERRUPTED) throw new Interrupted(`\`${command}\` ${failure}`);
  const shown = excerpt(log).map((line) => `  ${line}`);
  throw new Problem([`\`${command}\` ${failure}. Its output, from ${log}:`, '', ...shown].join('\n'));
}

/**
 * Runs a job whose failure is no reason to stop: says what went wrong and goes on.
 *
 * @param {import('./checkout.mjs').Checkout} checkout
 * @param {Job} job
 */
export async function attempt(checkout, job) {
  try {
    await run(checkout, job);
  } catch (error) {
    if (!(error instanceof Problem) || error instanceof Interrupted) throw error;
    say(error.message);
  }
}

/**
 * @param {import('./checkout.mjs').Checkout} checkout
 * @param {Job} job
 * @param {number} output
 * @returns {Promise<string | undefined>} how it failed, if it did
 */
function outcome(checkout, job, output) {
  return new Promise((resolve) => {
    // A process group of its own: whatever it starts can be ended with it, and Ctrl-C reaches it once, through us.
    const child = spawn(job.program, job.args, {
      cwd: checkout.home,
      env: { ...process.env, ...job.env },
      stdio: ['ignore', output, output],
      detached: true,
    });

    /** @type {string | undefined} why we ended it, if we did */
    let ended;
    /** @type {NodeJS.Timeout | undefined} */
    let killTimer;
    /** @param {string} reason */
    const end = (reason) => {
      if (ended !== undefined) return;
      ended = reason;
      signalGroup(child, 'SIGTERM');
      killTimer = setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE_MS);
    };
    const interrupt = () => end(INTERRUPTED);
    const timer = setTimeout(() => end(`took longer than ${job.timeoutMs / 1000} s`), job.timeoutMs);
    checkout.interrupted.addEventListener('abort', interrupt);

    /** @param {string | undefined} failure */
    const settle = (failure) => {
      clearTimeout(timer);
      clearTimeout(killTimer);
      checkout.interrupted.removeEventListener('abort', interrupt);
      resolve(ended ?? failure);
    };
    child.once('error', (error) => settle(`could not be started (${error.message})`));
    child.once('exit', (code, signal) => settle(code === 0 ? undefined : `failed (${signal ?? `exit ${code}`})`));
  });
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function signalGroup(child, signal) {
  if (child.pid === undefined || child.exitCode !== null) return;
  process.kill(-child.pid, signal);
}
