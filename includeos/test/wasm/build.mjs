// Builds images of modules that a test writes, and starts guests of them.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Guest } from '../guest.mjs';

const script = fileURLToPath(new URL('../../build.sh', import.meta.url));

export function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'shoal-wasm-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** A module of WebAssembly's text. */
export function assemble(folder, name, text) {
  const source = join(folder, `${name}.wat`);
  const module = join(folder, `${name}.wasm`);
  writeFileSync(source, text);
  const { status, stderr } = spawnSync('wat2wasm', [source, '-o', module], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return module;
}

/** What build.sh says; `image` is there if it ended with 0. */
export function tryBuild(module, image) {
  const { status, stdout, stderr } = spawnSync('sh', [script, '--service', module, '--image', image], {
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}

export function build(module, image = module.replace(/\.wasm$/, '.elf')) {
  const { status, output } = tryBuild(module, image);
  if (status !== 0) throw new Error(output);
  return image;
}

export const bytesOf = (module) => readFileSync(module);

/** A guest that is ready, and a connection to it; `use` may end it by `stop`. */
export async function withGuest(options, use) {
  const guest = await Guest.start(options);
  try {
    await guest.ready();
    await use(guest, await guest.connect());
  } finally {
    await guest.end();
  }
}
