import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A seed that takes longer than this never ends: most take a tenth of a second. */
const SEED_MS_MAX = 120_000;

export interface Hunted {
  readonly seed: number;
  /** How the seed failed, in a line. */
  readonly how: string;
}

/** Whether seeds hold without any bug, as far as that is known. */
const sound = new Map<number, Promise<boolean>>();

/**
 * Runs seeds with a planted bug until one fails that holds without the bug.
 * @returns undefined if none does
 */
export async function hunt(bug: string, first: number, count: number): Promise<Hunted | undefined> {
  for (let seed = first; seed < first + count; ) {
    const found = await firstFailure(bug, seed, first + count - seed);
    if (found === undefined || (await isSound(found.seed))) return found;
    seed = found.seed + 1;
  }
  return undefined;
}

function isSound(seed: number): Promise<boolean> {
  const known = sound.get(seed) ?? firstFailure(undefined, seed, 1).then((failure) => failure === undefined);
  sound.set(seed, known);
  return known;
}

/**
 * Runs seeds in a process of its own until one fails.
 * @param bug undefined: with the sources as they are
 * @returns undefined if none does. A seed that never ends has failed too: the code under simulation goes round in circles.
 * @throws Error if the process fails without a word about its seeds
 */
export async function firstFailure(bug: string | undefined, first: number, count: number): Promise<Hunted | undefined> {
  const plant = bug === undefined ? [] : ['--import', here('plant.ts')];
  const child = spawn(process.execPath, [...plant, here('find-bug.ts'), String(first), String(count)], {
    env: { ...process.env, SHOAL_PLANTED_BUG: bug },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let lastLine = '';
  let errors = '';
  let isStuck = false;
  child.stderr.on('data', (text) => {
    errors = `${errors}${text}`.slice(-2_000);
  });
  const timer = setTimeout(() => {
    isStuck = true;
    child.kill('SIGKILL');
  }, SEED_MS_MAX);
  createInterface({ input: child.stdout }).on('line', (line) => {
    lastLine = line;
    timer.refresh();
  });
  try {
    await once(child, 'close');
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
  }
  if (isStuck) return { seed: Number(lastLine), how: `no end within ${SEED_MS_MAX} ms` };
  if (child.exitCode !== 0)
    throw new Error(`the seeds with ${bug ?? 'no bug'} end with exit code ${child.exitCode}: ${errors}`);
  const found: unknown = JSON.parse(lastLine);
  if (found === null) return undefined;
  // As find-bug.ts prints it.
  const { seed, failure } = found as { readonly seed: number; readonly failure: { readonly message: string } };
  return { seed, how: failure.message.split('\n')[0] ?? '' };
}

function here(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
