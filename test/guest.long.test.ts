import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const INCLUDEOS = join(import.meta.dirname, '..', 'includeos');
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

// What the guest promises is tested beside the guest, in its own language; here it is part of the whole.

test('the guest: service, telemetry, frames and HTTP on the host, under sanitizers and with damaged input', async () => {
  const { stdout, stderr } = await run('sh', [join(INCLUDEOS, 'run-host-tests.sh')], options());
  expect(stdout + stderr).not.toMatch(/AddressSanitizer|runtime error|FAILED/);
});

test('the guest in real virtual machines, under each accelerator', async () => {
  await run('sh', [join(INCLUDEOS, 'build.sh'), '--variant', 'test'], options());
  const names = ['image.test.mjs', 'overload.test.mjs', 'console.test.mjs', 'port.test.mjs', 'timers.test.mjs'];
  const files = names.map((name) => join(INCLUDEOS, 'test', name));
  const { stdout } = await run(process.execPath, ['--test', '--test-concurrency=1', ...files], options()).catch(
    // What failed stands in the output only.
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? String(error) }),
  );
  expect(stdout).toMatch(/fail 0\b/);
  expect(stdout).not.toMatch(/pass 0\b/);
});

/** The tests run on the project's own Node, and a failed one shows all that it printed. */
function options(): { env: NodeJS.ProcessEnv; maxBuffer: number } {
  const path = `${join(process.execPath, '..')}:${process.env['PATH']}`;
  return { env: { ...process.env, PATH: path }, maxBuffer: OUTPUT_BYTES_MAX };
}
