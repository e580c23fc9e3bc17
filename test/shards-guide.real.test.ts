import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from './driver/fleet.ts';

const TIMEOUT_MS = 60_000;

test('the example of docs/shards.md works as it stands', () => {
  const page = readFileSync(new URL('../docs/shards.md', import.meta.url), 'utf8');
  const [greeter = '', main = ''] = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) =>
    fromSources(code),
  );
  const folder = temporaryFolder();
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'greeter.ts'), greeter);
  writeFileSync(join(folder, 'main.ts'), `${main}\nconsole.log(reply);\n`);
  const printed = execFileSync(process.execPath, [join(folder, 'main.ts')], { encoding: 'utf8', timeout: TIMEOUT_MS });
  expect(printed).toBe('Hello, Ada!\n');
});

/** Here the package is its own sources. */
function fromSources(code: string): string {
  const source = (name: string): string => pathToFileURL(join(import.meta.dirname, '..', 'src', name, 'mod.ts')).href;
  return code.replaceAll(/'shoal\/(actors|shards)'/g, (_, name: string) => `'${source(name)}'`);
}
