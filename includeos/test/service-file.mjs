// Service files for the engine's image, written by hand: what the bundler of `shoal service build` writes has the same form.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function serviceText(operations, source, { idempotent = 1, state = 'fresh', payload = 'text' } = {}) {
  const lines = [
    'shoal-service 1',
    `operations ${operations}`,
    `idempotent ${idempotent}`,
    `state ${state}`,
    `payload ${payload}`,
  ];
  return `${lines.join('\n')}\nsource ${Buffer.byteLength(source)}\n\n${source}`;
}

/** The bundler's form of a module that exports this object of functions by default. */
export const script = (functions) => `var shoalService = (() => { return { default: ${functions} }; })();`;

/** Runs `use(file)` with a file of this content. */
export async function withFile(content, use) {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-service-'));
  try {
    const file = join(folder, 'test.service');
    writeFileSync(file, content);
    return await use(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
