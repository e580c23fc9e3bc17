import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle } from './bundle.ts';
import { openService, type Runner } from './mod.ts';

/** Each is evaluated in the engine and in Node. */
const EXPRESSIONS = [
  `[...new TextEncoder().encode('aä€😀\\ud800')].join()`,
  `new TextEncoder().encoding`,
  `JSON.stringify(new TextEncoder().encodeInto('aä€', new Uint8Array(4)))`,
  `new TextDecoder().decode(Uint8Array.of(0xef, 0xbb, 0xbf, 97, 0xff, 0xe2, 0x82))`,
  `new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.of(0xef, 0xbb, 0xbf)).length`,
  `new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.of(0xff))`,
  `new TextDecoder('utf-16le').decode(Uint8Array.of(0xe4, 0, 0x3d, 0xd8, 0, 0xde))`,
  `new TextDecoder('latin1').decode(Uint8Array.of(0xe9, 0x80))`,
  `new TextDecoder('no-such-encoding')`,
  `(() => { const d = new TextDecoder(); const o = { stream: true }; return d.decode(Uint8Array.of(0xe2), o) + d.decode(Uint8Array.of(0x82, 0xac), o) + d.decode(); })()`,
  `new URL('HTTP://user:pass@Exämple.com:80/a/../b?q=1#h').href`,
  `new URL('../x?y', 'https://a/b/c/d').pathname`,
  `new URL('no url')`,
  `(() => { const u = new URL('https://a/?a=1&b=2'); u.searchParams.append('c', 'ä '); u.hash = 'x'; return u + ''; })()`,
  `URL.canParse('a:b') + ' ' + URL.canParse('')`,
  `new URLSearchParams({ a: '1', b: 'x y&z' }) + ''`,
  `JSON.stringify([...new URLSearchParams('?a=1&a=2&b=%C3%A4+')])`,
  `JSON.stringify([...structuredClone(new Map([[{ a: 1 }, new Set([new Date(5), /x/g])]]))].map(([k, v]) => [k, [...v].map((one) => (one instanceof Date ? +one : String(one)))]))`,
  `(() => { const a = { n: 1n }; a.self = a; const b = structuredClone(a); return b !== a && b.self === b && b.n === 1n; })()`,
  `structuredClone(Uint8Array.of(1, 2).buffer).byteLength`,
  `(() => { try { structuredClone(() => 1); } catch (error) { return error.name; } })()`,
  `[typeof TextEncoder, typeof TextDecoder, typeof URL, typeof URLSearchParams, typeof structuredClone].join()`,
  `Object.keys(globalThis).includes('URL')`,
];

/** As a program that tells what it throws. */
const told = (expression: string): string =>
  `(() => { try { return String(${expression}); } catch (error) { return 'throws ' + error.constructor.name; } })()`;

let folder: string;
let runner: Runner;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-globals-'));
  const file = join(folder, 'globals.js');
  writeFileSync(file, `export default { a: (text) => [${EXPRESSIONS.map((one) => `() => ${told(one)}`)}][text]() };`);
  ({ runner } = await openService(file, { limitMs: 60_000, onLog: () => undefined }));
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each(EXPRESSIONS.map((expression, index) => [expression, index] as const))(
  'comes out as in Node: %s',
  (expression, index) => {
    // The text is one of the list above.
    const inNode: string = new Function(`return ${told(expression)}`)();
    expect(runner.request('a', String(index), undefined)).toMatchObject({ reply: inNode });
  },
);

test('a script has what it names, and nothing else, before its own lines', async () => {
  const bundled = async (text: string) => {
    const file = join(folder, 'one.ts');
    writeFileSync(file, text);
    return await bundle(file);
  };
  const without = await bundled('export default { a: (text: string) => text };\n');
  expect(without.script).not.toContain('globalThis');
  const text = 'export default {\n  a: (text: string) => String(new TextEncoder().encode(text).length),\n};\n';
  const { script, placeOf } = await bundled(text);
  expect(script.length).toBeGreaterThan(without.script.length);
  const lines = script.split('\n');
  const line = lines.findIndex((one) => one.includes('a: (text)'));
  const column = lines[line]?.indexOf('new TextEncoder') ?? 0;
  expect(placeOf(line + 1, column + 1)).toMatchObject({ line: 2 });
  expect(placeOf(1, 1)).toBeUndefined();
});

test('a script that takes the global object for `self`, as those for browsers do, has it', async () => {
  const file = join(folder, 'self.js');
  writeFileSync(
    file,
    'self.found = new URL("a:b").href;\nexport default { a: () => found + (self === globalThis) };\n',
  );
  const { runner: own } = await openService(file, { limitMs: 60_000, onLog: () => undefined });
  expect(own.request('a', '', undefined)).toMatchObject({ reply: 'a:btrue' });
});

test('a script may put something of its own in the place of a global, as polyfills do', async () => {
  const file = join(folder, 'polyfill.js');
  const replaced = "globalThis.URL = class { href = 'own' };\nconst { href } = new URL('a:b');\n";
  const removed = 'delete globalThis.TextEncoder;\nexport default { a: () => href + typeof TextEncoder };\n';
  writeFileSync(file, `${replaced}${removed}`);
  const { runner: own } = await openService(file, { limitMs: 60_000, onLog: () => undefined });
  expect(own.request('a', '', undefined)).toMatchObject({ reply: 'ownundefined' });
});
