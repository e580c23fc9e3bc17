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

/**
 * Runs seeds with a planted bug, in a process of its own, until one fails.
 * @returns undefined if none does. A seed that never ends has failed too: the code under simulation goes round in circles.
 * @throws Error if the process fails without a word about its seeds
 */
export async function hunt(bug: string, first: number, count: number): Promise<Hunted | undefined> {
  const child = spawn(
    process.execPath,
    ['--import', here('plant.ts'), here('find-bug.ts'), String(first), String(count)],
    {
      env: { ...process.env, SHOAL_PLANTED_BUG: bug },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
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
  if (child.exitCode !== 0) throw new Error(`the seeds with ${bug} end with exit code ${child.exitCode}: ${errors}`);
  const found: unknown = JSON.parse(lastLine);
  if (found === null) return undefined;
  // As find-bug.ts prints it.
  const { seed, failure } = found as { readonly seed: number; readonly failure: { readonly message: string } };
  return { seed, how: failure.message.split('\n')[0] ?? '' };
}

function here(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
