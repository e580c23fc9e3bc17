import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findNatsServer } from './program.ts';

test('the first on the PATH that can be run', async () => {
  const root = await mkdtemp(join(tmpdir(), 'shoal-path-'));
  const [folder, file, program] = [join(root, 'folder'), join(root, 'file'), join(root, 'program')];
  await mkdir(join(folder, 'nats-server'), { recursive: true });
  for (const place of [file, program]) {
    await mkdir(place);
    await writeFile(join(place, 'nats-server'), '');
  }
  await chmod(join(program, 'nats-server'), 0o755);
  expect(findNatsServer(['', folder, file, program].join(':'))).toBe(join(program, 'nats-server'));
  await rm(root, { recursive: true });
});
