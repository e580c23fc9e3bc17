// The service that the README shows, as a file:  node readme-example.mjs FOLDER
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

const readme = new URL('../README.md', import.meta.url);

/** Writes the one block of C++ into a folder that is there, under the name in its first line. */
export function writeExample(folder) {
  const blocks = [...readFileSync(readme, 'utf8').matchAll(/^```cpp\n(\/\/ ([\w-]+\.cpp)\n[\s\S]*?)^```$/gm)];
  if (blocks.length !== 1) throw new Error(`${fileURLToPath(readme)} has ${blocks.length} examples in C++`);
  const [[, code, name]] = blocks;
  writeFileSync(join(folder, name), code);
}

if (argv[1] === fileURLToPath(import.meta.url)) writeExample(argv[2]);
