// Programs that translate, compile and run, as many at a time as there are processors, in the folder of build.sh: its paths are relative.
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const TIMEOUT_MS = 120_000;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

export const includeos = fileURLToPath(new URL('../../..', import.meta.url));

const waiting = [];
let free = availableParallelism();

/**
 * @param {string} program
 * @param {readonly string[]} args
 * @returns {Promise<{ status: number, stdout: string, stderr: string }>} rejects if it cannot be started, takes too long or is killed
 */
export async function run(program, args) {
  if (free > 0) free--;
  else await new Promise((resolve) => waiting.push(resolve));
  try {
    return await start(program, args);
  } finally {
    const next = waiting.shift();
    if (next) next();
    else free++;
  }
}

/** What a program prints; rejects unless it ends with 0. */
export async function must(program, args) {
  const { status, stdout, stderr } = await run(program, args);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ends with ${status}\n${stderr.slice(0, 2000)}`);
  return stdout;
}

function start(program, args) {
  const options = { cwd: includeos, timeout: TIMEOUT_MS, maxBuffer: OUTPUT_BYTES_MAX, encoding: 'utf8' };
  return new Promise((resolve, reject) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ status: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ status: error.code, stdout, stderr });
      else reject(new Error(`${error.message} ${error.signal ?? ''} ${stdout.slice(-500)}`));
    });
  });
}
