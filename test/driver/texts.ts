import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BYTES_MAX = 500_000;

/** The texts of this repository: all documents and TypeScript sources that git tracks. */
export function repositoryTexts(): string[] {
  const files = execFileSync('git', ['ls-files', '*.md', '*.ts', '*.json'], { cwd: ROOT, encoding: 'utf8' });
  return files
    .split('\n')
    .filter((file) => file !== '')
    .map((file) => readFileSync(`${ROOT}/${file}`, 'utf8'))
    .filter((text) => Buffer.byteLength(text) <= BYTES_MAX);
}
