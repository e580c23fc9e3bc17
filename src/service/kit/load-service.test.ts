import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ServiceError } from '../mod.ts';
import { loadService } from './mod.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-load-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function fileOf(text: string): string {
  const path = join(folder, 'a.ts');
  writeFileSync(path, text);
  return path;
}

test('a service answers as it will in a VM: a text, an error with its status, a line in its log', async () => {
  const path = fileOf(`import { type Service, ServiceError } from 'shoal/service';
    export default {
      upper: (text) => { console.log('asked', text.length); return text.toUpperCase(); },
      refuse: (text) => { throw new ServiceError(409, text); },
    } satisfies Service;`);
  const heard: string[] = [];
  const service = await loadService(pathToFileURL(path), { onLog: (text) => heard.push(text) });
  expect(await service.call('upper', 'ä')).toBe('Ä');
  expect([service.log, heard]).toEqual([['asked 1'], ['asked 1']]);
  const refused = service.call('refuse', 'no');
  await expect(refused).rejects.toBeInstanceOf(ServiceError);
  await expect(refused).rejects.toMatchObject({ status: 409, message: 'no' });
  await expect(service.call('other', '')).rejects.toMatchObject({
    status: 404,
    message: 'the service has no operation "other"; it has upper, refuse',
  });
  await expect(service.callBytes('upper', Uint8Array.of(0xff))).rejects.toMatchObject({ status: 400 });
});

test('a text is given as a guest gives it: with its byte order mark, and whole characters', async () => {
  const service = await loadService(
    fileOf('export default { codes: (text) => [...text].map((c) => c.codePointAt(0)).join() };'),
  );
  const bytes = await service.callBytes('codes', Uint8Array.of(0xef, 0xbb, 0xbf, 0x61));
  expect(new TextDecoder().decode(bytes)).toBe('65279,97');
  expect(await service.call('codes', 'a\ud800')).toBe('97,65533');
});

test('the log has the latest 1000 texts', async () => {
  const service = await loadService(
    fileOf('export default { say: (text) => { for (let i = 1; i <= 1001; i++) console.log(text, i); return ""; } };'),
  );
  await service.call('say', 'line');
  expect([service.log.length, service.log[0], service.log.at(-1)]).toEqual([1000, 'line 2', 'line 1001']);
});

test('a service of bytes takes and gives bytes, also of a text', async () => {
  const service = await loadService(
    fileOf(`export const payload = 'bytes';
      export default { same: (bytes: Uint8Array) => bytes, type: (_: Uint8Array, request: { contentType?: string }) => String(request.contentType) };`),
  );
  expect(await service.callBytes('same', Uint8Array.of(0xff, 0))).toEqual(Uint8Array.of(0xff, 0));
  expect(await service.call('same', 'ä')).toBe('ä');
  expect(await service.call('type', '', { contentType: 'image/png' })).toBe('image/png');
  expect(await service.call('type', '')).toBe('undefined');
});

test('a service of text is told no content type, as in a VM', async () => {
  const service = await loadService(
    fileOf('export default { type: (_: string, request: { contentType?: string }) => String(request.contentType) };'),
  );
  expect(await service.call('type', '', { contentType: 'text/csv' })).toBe('undefined');
});

test('a service of bytes names the content type of its reply', async () => {
  const service = await loadService(
    fileOf(`import type { BytesService } from 'shoal/service';
      export const payload = 'bytes';
      export default {
        picture: (bytes) => ({ payload: bytes, contentType: 'image/png' }),
        json: async (_, { contentType }) => ({ payload: JSON.stringify(contentType ?? null), contentType: 'application/json' }),
        plain: () => ({ payload: 'text' }),
        same: (bytes) => bytes,
        wrong: () => ({ payload: 'text', contentType: 'a\\r\\nb' }),
        none: () => ({ payload: 1 as unknown as string }),
        other: () => ({ body: '' }) as unknown as string,
      } satisfies BytesService;`),
  );
  expect(await service.ask('picture', Uint8Array.of(1))).toEqual({
    payload: Uint8Array.of(1),
    contentType: 'image/png',
  });
  expect(await service.ask('json', '')).toEqual({ payload: 'null', contentType: 'application/json' });
  expect(await service.ask('plain', '')).toEqual({ payload: 'text', contentType: 'text/plain; charset=utf-8' });
  expect(await service.ask('same', 'a')).toEqual({ payload: Uint8Array.of(97), contentType: undefined });
  await expect(service.ask('wrong', '')).rejects.toMatchObject({
    status: 400,
    message: expect.stringContaining('"a\\r\\nb"'),
  });
  await expect(service.ask('none', '')).rejects.toThrow(
    'returned a number as its payload, not a string or a Uint8Array',
  );
  await expect(service.ask('other', '')).rejects.toThrow('{ payload, contentType }');
});

test('a loop without an end is cut off, and the service answers again', async () => {
  const service = await loadService(fileOf('export default { loop: () => { for (;;); }, a: () => "a" };'), {
    // A slow machine has answered `a` then.
    limitMs: 3_000,
  });
  const message = expect.stringContaining('it was cut off after 3000 ms');
  await expect(service.call('loop', '')).rejects.toMatchObject({ status: 504, message });
  expect(await service.call('a', '')).toBe('a');
});

test('a loop without an end is cut off after 5 seconds if nobody says otherwise', async () => {
  const service = await loadService(fileOf('export default { loop: () => { for (;;); } };'));
  const message = expect.stringContaining('it was cut off after 5000 ms');
  await expect(service.call('loop', '')).rejects.toMatchObject({ status: 504, message });
});
