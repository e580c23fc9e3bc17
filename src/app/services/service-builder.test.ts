import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ServiceBuilder } from './service-builder.ts';

let folder: string;
let said: string[];
let builder: ServiceBuilder;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-builder-'));
  mkdirSync(join(folder, 'temporary'));
  vi.stubEnv('TMPDIR', join(folder, 'temporary'));
  said = [];
  builder = new ServiceBuilder(join(folder, 'a.ts'), (line) => void said.push(line));
});
afterEach(async () => {
  await builder.close();
  expect(readdirSync(join(folder, 'temporary'))).toEqual([]);
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const write = (text: string): void => writeFileSync(join(folder, 'a.ts'), text);
const FAULT = {
  code: 'SERVICE_INVALID',
  message: expect.stringContaining('no default export'),
  details: { line: null },
};

test('what is wrong with a service is told as the build says it, each time', async () => {
  write('export const a = 1;');
  await expect(builder.build()).rejects.toMatchObject(FAULT);
  await expect(builder.build()).rejects.toMatchObject(FAULT);
});

test('what the author should know is told once, and again after a build that failed', async () => {
  const [good, bad] = ['export default { a: () => import.meta.url };', 'export const a = 1;'];
  for (const text of [good, good, bad, good]) {
    write(text);
    await builder.build().catch(() => said.push('failed'));
  }
  const note = expect.stringContaining('`import.meta` is empty');
  expect(said.filter((line) => line === 'failed' || line.includes('import.meta'))).toEqual([note, 'failed', note]);
});

test('a thread that ends during a build ends that build, and the next one has another', async () => {
  write('for (;;);');
  let error: unknown;
  builder.build().catch((thrown: unknown) => {
    error = thrown;
  });
  const end = async (): Promise<void> => {
    // Until then there is perhaps no thread.
    await builder.rest();
    expect(error).toMatchObject({
      code: 'SERVICE_BUILD',
      message: expect.stringContaining('the thread that builds ended (exit'),
    });
  };
  await vi.waitFor(end, { timeout: 20_000 });
  write('export const a = 1;');
  await expect(builder.build()).rejects.toMatchObject(FAULT);
});
