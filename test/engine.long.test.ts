/** The image of scripts in real virtual machines: hostile services, programs that come out as in Node, and what the runner tells as well. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const INCLUDEOS = join(import.meta.dirname, '..', 'includeos');
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

test.each(['engine.test.mjs', 'programs.test.mjs', 'two-hosts.test.mjs'])(
  'the engine in real virtual machines: %s',
  async (name) => {
    const path = `${join(process.execPath, '..')}:${process.env['PATH']}`;
    const options = { env: { ...process.env, PATH: path }, maxBuffer: OUTPUT_BYTES_MAX };
    await run('sh', [join(INCLUDEOS, 'build.sh'), '--variant', 'engine'], options);
    const { stdout } = await run(process.execPath, ['--test', join(INCLUDEOS, 'test', name)], options).catch(
      // What failed stands in the output only.
      (error: { stdout?: string }) => ({ stdout: error.stdout ?? String(error) }),
    );
    expect(stdout).toMatch(/fail 0\b/);
    expect(stdout).not.toMatch(/pass 0\b/);
  },
);
