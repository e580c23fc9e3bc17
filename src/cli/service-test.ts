import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { looksLikeService } from '../app/mod.ts';
import { checkScriptFile, isScript, SCRIPT_EXTENSIONS } from '../bundle/mod.ts';
import { ShoalError } from '../errors.ts';
import { loadService } from '../service/kit/mod.ts';
import { ServiceError } from '../service/mod.ts';
import { moduleBeside } from '../shards/mod.ts';
import { printable, printBytes, printData, say } from './output.ts';
import { usage } from './parse.ts';

export interface TestRequest {
  readonly text: string | undefined;
  readonly operation: string | undefined;
}

/** `shoal service test`. @returns the exit code */
export async function testService(file: string, { text, operation }: TestRequest): Promise<number> {
  if (looksLikeService(file) && !isScript(file)) {
    const instead = 'Boot its image and ask it with `shoal image check`';
    throw usage(
      { name: 'service' },
      `\`service test\` is for TypeScript and JavaScript, and ${file} is neither. ${instead}`,
    );
  }
  if (text === undefined && operation === undefined) return runTests(file);
  const service = await loadService(file, { onLog: (line) => say(printable(line)) });
  for (const note of service.notes) say(printable(note));
  try {
    // A service has at least one.
    const name = operation ?? service.operations[0] ?? '';
    const { payload } = await service.ask(name, text ?? '');
    if (typeof payload === 'string') printData(payload);
    else printBytes(payload);
    return 0;
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    say(printable(`shoal: the service answers ${error.status}: ${error.message}`));
    return 1;
  }
}

/** The test beside a service, by Node's own runner. */
async function runTests(file: string): Promise<number> {
  // A test cannot mend what is no script.
  await checkScriptFile(file);
  const extension = extname(file);
  const stem = basename(file, extension);
  const names = [extension, ...SCRIPT_EXTENSIONS].map((ending) => `${stem}.test${ending}`);
  const test = names.map((name) => join(dirname(file), name)).find((path) => existsSync(path));
  if (test === undefined) {
    const [name] = names;
    throw usage({ name: 'service' }, `there is no ${name} beside ${file}: write one, or give a request by --text`);
  }
  // What the test imports is this Shoal, whether it is installed there or not.
  const hooks = moduleBeside(import.meta.url, 'service-test-imports').href;
  const child = spawn(process.execPath, ['--import', hooks, '--test', test], { stdio: 'inherit', cwd: dirname(file) });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new ShoalError('SYSTEM_REFUSED', `${process.execPath} cannot be started: ${cause.message}`, { cause })),
    );
    child.once('close', resolve);
  });
  return code === 0 ? 0 : 1;
}
