import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { examine, openService, serviceFile } from './mod.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal bundle '));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Writes files and returns the path of the first. */
function files(content: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(content)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return join(folder, Object.keys(content)[0] ?? '');
}

const QUIET = { limitMs: 60_000, onLog: () => undefined };

/** What is said of a service that cannot be used. The folder's path is left out. */
async function refusal(path: string): Promise<string> {
  const error: unknown = await openService(path, QUIET).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'SERVICE_INVALID' });
  return error instanceof Error ? error.message.replaceAll(`${folder}/`, '') : '';
}

describe('a service', () => {
  test('in TypeScript is one script with all that it imports, by its path or from npm', async () => {
    const path = files({
      'hello.ts': `import { ServiceError } from 'shoal/service';
        import data from './data.json';
        import type { Unused } from './types.ts';
        import { shout } from './deep/shout.ts';
        import old from 'old';
        enum Level { Low = 1 }
        export default {
          upper: (text: string): string => shout(text) + data.mark + old.name + Level.Low,
          async late(text: string) { const { shout: again } = await import('./deep/shout.ts'); return again(text); },
          refuse(text: string): string { throw new ServiceError(422, 'not ' + text); },
        };
        export const idempotent = true;`,
      'types.ts': 'export interface Unused { a: string }',
      'deep/shout.ts': 'export const shout = (text: string) => text.toUpperCase();',
      'data.json': '{"mark":"!"}',
      'node_modules/old/package.json': '{"name":"old","main":"index.js"}',
      'node_modules/old/index.js': "exports.name = 'old';",
    });
    const { service, runner } = await openService(path, QUIET);
    expect(service.facts).toEqual({
      ...{ operations: ['upper', 'late', 'refuse'], idempotent: true, state: 'fresh', payload: 'text' },
    });
    expect(service.notes).toEqual([]);
    expect(runner.request('upper', 'hä', undefined)).toEqual({ ok: true, reply: 'HÄ!old1' });
    expect(runner.request('late', 'hä', undefined)).toEqual({ ok: true, reply: 'HÄ' });
    expect(runner.request('refuse', 'x', undefined)).toEqual({ ok: false, status: 422, message: 'not x' });
  });

  test('tells of each file that it is made of, also of one of which nothing but a value is left, or that is faulty or missing', async () => {
    const inputsOf = async (path: string): Promise<readonly string[]> => {
      const inputs = new Set<string>();
      await examine(path, (input) => inputs.add(input.replace(`${folder}/`, ''))).catch(() => undefined);
      return [...inputs].sort();
    };
    const path = files({
      'hello.ts': `import { mark } from './all.ts'; import data from './data.json'; export default { a: () => mark + data };`,
      'all.ts': "export { mark } from './deep/mark.ts';",
      'deep/mark.ts': "export const mark = '!';",
      'data.json': '"x"',
    });
    expect(await inputsOf(path)).toEqual(['all.ts', 'data.json', 'deep/mark.ts', 'hello.ts']);
    files({ 'deep/mark.ts': 'export const = 1;' });
    expect(await inputsOf(path)).toContain('deep/mark.ts');
    files({ 'all.ts': "export { mark } from './deep/none.ts';" });
    expect(await inputsOf(path)).toContain('deep/none.ts');
  });

  test('may nest as deeply as a program writes it', async () => {
    const conditions = Array.from({ length: 1_500 }, (_, n) => `text === '${n}' ? '${n}'`).join(' : ');
    const { runner } = await openService(
      files({
        'hello.ts': `import d from './d.txt'; export default { a: (text: string) => ${conditions} : '', b: () => ${'('.repeat(9_000)}'b'${')'.repeat(9_000)},
          d: () => String(d.length),
          c: async () => ${'('.repeat(5_000)}(await import('./c.ts')).c${')'.repeat(5_000)} };`,
        'c.ts': `export const c = ${JSON.stringify('('.repeat(2e4))}.length + '';`,
        'd.txt': '(?'.repeat(6e4),
      }),
      QUIET,
    );
    expect(runner.request('a', '1499', undefined)).toEqual({ ok: true, reply: '1499' });
    expect(runner.request('b', '', undefined)).toEqual({ ok: true, reply: 'b' });
    expect(runner.request('c', '', undefined)).toEqual({ ok: true, reply: '20000' });
    expect(runner.request('d', '', undefined)).toEqual({ ok: true, reply: '120000' });
  });

  test('in JavaScript, with syntax newer than the engine', async () => {
    const path = files({
      'a.mjs': `const list = { [Symbol.dispose]() { globalThis.ended = true; } };
        export default { a() { { using one = list; } return String(globalThis.ended) + /[\\p{L}--[a-z]]/v.test('A'); } };`,
    });
    const { runner } = await openService(path, QUIET);
    expect(runner.request('a', '', undefined)).toEqual({ ok: true, reply: 'truetrue' });
  });

  test('takes from a package what is for browsers and for production, and from one that is named like a module of Node', async () => {
    const path = files({
      'a.ts': `import both, { worker } from 'both';
        import { name } from 'events';
        export default { a: () => both + ' ' + name + ' ' + typeof worker };`,
      'node_modules/both/package.json': '{"name":"both","exports":{"browser":"./browser.js","default":"./node.js"}}',
      'node_modules/both/browser.js': `export default process.env.NODE_ENV;
        export const worker = () => new URL('./not-there.js', import.meta.url);`,
      'node_modules/both/node.js': "import 'node:fs';\nexport default 'of Node';",
      'node_modules/events/package.json': '{"name":"events","main":"own.js"}',
      'node_modules/events/own.js': "exports.name = 'own';",
    });
    const { service, runner } = await openService(path, QUIET);
    expect(runner.request('a', '', undefined)).toEqual({ ok: true, reply: 'production own function' });
    // What its authors may be told is not for the author of the service.
    expect(service.notes).toEqual([]);
  });

  test('goes on without a module of Node that it, or a package, only tries to have, and is told so', async () => {
    const path = files({
      'a.ts': `import old from './old.cjs';
        import { where, load } from 'tries';
        export default { a: () => old.fs, b: () => where, c: () => load('x').catch((error) => error.name), d: () => old.late() };`,
      'old.cjs': `exports.fs = 'there';
        try { require('fs'); } catch (error) { exports.fs = error.code; }
        exports.late = () => require('node:net');`,
      'node_modules/tries/package.json': '{"name":"tries","main":"own.mjs"}',
      'node_modules/tries/own.mjs': `export let where = 'Node';
        import('node:fs').catch((error) => { where = error.message.slice(0, 28); });
        export const load = async (name) => import(name);`,
    });
    const { service, runner } = await openService(path, QUIET);
    expect(runner.request('a', '', undefined)).toEqual({ ok: true, reply: 'MODULE_NOT_FOUND' });
    expect(runner.request('b', '', undefined)).toEqual({ ok: true, reply: "Cannot find module 'node:fs'" });
    expect(runner.request('c', '', undefined)).toEqual({ ok: true, reply: 'ReferenceError' });
    expect(runner.request('d', '', undefined)).toMatchObject({
      status: 400,
      message: expect.stringMatching(/^Cannot find module 'node:net': a service runs without Node/),
    });
    expect(service.notes.map((note) => note.replace(`${folder}/`, '')).sort()).toEqual([
      expect.stringMatching(/^node_modules\/tries\/own\.mjs:2: "node:fs" is not there, and what asks for it throws: /),
      expect.stringMatching(/^old\.cjs:2: "fs" is not there, and what asks for it throws: a service runs without Node/),
      expect.stringMatching(/^old\.cjs:3: "node:net" is not there/),
    ]);
  });

  test('may have 64 operations, and names of 64 characters', async () => {
    const long = 'x'.repeat(64);
    const names = [long, ...Array.from({ length: 63 }, (_, at) => `o${at}`)];
    const text = `export default Object.fromEntries(${JSON.stringify(names)}.map((name) => [name, () => name]));`;
    const { service, runner } = await openService(files({ 'a.js': text }), QUIET);
    expect(service.facts.operations).toEqual(names);
    expect(runner.request(long, '', undefined)).toEqual({ ok: true, reply: long });
  });

  test('is written as the guest reads it, with the places of its lines', async () => {
    const service = await examine(
      files({
        'a.ts': `import { c } from './c/d.ts';
          export const state = 'kept';
          export const payload = 'bytes';

          export default {
            b: () => 'ä' + c(),
            // A remark.
            'a.1': () => '',
          };`,
        'c/d.ts': '\nexport function c() {\n  return String(Math.random());\n}',
      }),
    );
    const { facts, script } = service;
    const file = serviceFile(facts, service).toString();
    const places = /\nglobalThis\.shoalPlaces = (".*");\n/.exec(file)?.[1] ?? '';
    const source = `globalThis.shoalPlaces = ${places};\n${script}`;
    const head = `shoal-service 1\noperations b,a.1\nidempotent 0\nstate kept\npayload bytes\nsource ${Buffer.byteLength(source)}\n\n`;
    expect(file).toBe(`${head}${source}`);
    // As the prelude reads it.
    const [names = '', runs = ''] = String(JSON.parse(places)).split('\n\n');
    const lineOf = (part: string): string | undefined => {
      const line = source.split('\n').findIndex((text) => text.includes(part)) + 1;
      const all = runs.split(';').map((run) => run.split(',').map(Number));
      const [at = 0, of = 0, first = 0] =
        all.find(([from = 0, , , count = 0]) => line >= from && line < from + count) ?? [];
      return `${names.split('\n')[of]}:${first + line - at}`;
    };
    expect(['function c()', 'Math.random', 'b: ()', '"a.1": ()'].map(lineOf)).toEqual([
      'c/d.ts:2',
      'c/d.ts:3',
      'a.ts:6',
      'a.ts:8',
    ]);
  });

  test('is told of an export that was perhaps meant to say something', async () => {
    const { notes } = await examine(
      files({
        'a.ts':
          'export const helper = () => 1;\nexport const idempotnet = true;\nexport default { a: () => import.meta.url };',
      }),
    );
    expect(notes.map((note) => note.replace(`${folder}/`, ''))).toEqual([
      'a.ts:3:27: `import.meta` is empty in a service',
      'a.ts:2: the export `idempotnet` (boolean true) means nothing to Shoal, which knows `idempotent`, `state` and `payload`',
    ]);
  });
});

describe('a mistake is told with its place, the value and the remedy', () => {
  test.each<[string, string, RegExp]>([
    [
      'a module of Node',
      "\nimport 'node:fs';\nexport default { a: () => '' };",
      /^The service a\.ts:2 cannot be used: it imports "node:fs", and a service runs without Node.* use a package/,
    ],
    [
      'one without its prefix',
      "import fs from 'fs';\nexport default { a: () => fs.x };",
      /a\.ts:1 .* it imports "fs", and a service runs without Node/,
    ],
    [
      'a package that is not installed',
      "import a from '@some/thing/part';\nexport default { a };",
      /a\.ts:1 .* "@some\/thing\/part", and there is no such package. Install it \(`npm install @some\/thing`\)/,
    ],
    [
      'a module by its address',
      "import a from 'https://example.org/a.js';\nexport default { a };",
      /a\.ts:1 .* "https:\/\/example\.org\/a\.js", and a service runs without .* network\. Put the module beside/,
    ],
    [
      'a file that is not there',
      "import a from './nope.ts';\nexport default { a };",
      /a\.ts:1 .* "\.\/nope\.ts", and there is no such file. Check the path/,
    ],
    [
      'a part of a package that it does not export',
      "import a from 'there/nope';\nexport default { a };",
      /a\.ts:1 .* "there\/nope", and the package "there" has no such file, or does not export it\. Check the path/,
    ],
    [
      'a style sheet',
      "\nimport './a.css';\nexport default { a: () => '' };",
      /a\.ts:2 .* it imports "\.\/a\.css", and only TypeScript, .* can be part of a script\. Leave it out, or write/,
    ],
    ['an image', "import a from './a.png';\nexport default { a };", /a\.ts:1 .* it imports "\.\/a\.png", and only/],
    [
      'a file by a query',
      "import a from './b.ts?raw';\nexport default { a };",
      /it imports "\.\/b\.ts\?raw", and only/,
    ],
    [
      'what it cannot do without',
      "import { x } from './c.cjs';\nexport default { a: () => x };",
      /c\.cjs:2:\d+ .* Cannot find module 'crypto': a service runs without Node.* use a package/,
    ],
    [
      'a global of Node while it sets itself up',
      "\nconst b = Buffer.from('');\nexport default { a: () => '' + b };",
      /a\.ts:2:\d+ .* Buffer is not defined, for a service runs without Node .* or define it in a module/,
    ],
    [
      'a decorator',
      'const d = (x: unknown) => x;\nclass A { @d a() {} }\nexport default { a: () => "" + A };',
      /a\.ts:2:\d+ .* has syntax that the engine does not know .* Decorators need `"experimentalDecorators": true`/,
    ],
    [
      'code that nests without measure',
      `export default { a: async () => ${'['.repeat(1e5)}await import('./b.ts')${']'.repeat(1e5)} };`,
      /a\.ts:1 cannot be used: its brackets and operators nest too deeply.* Look values up in an array/,
    ],
    [
      'a chain of conditions without measure',
      `\nexport default { a: (t: string) => ${"t === '1' ? '2' : ".repeat(1e5)}'' };`,
      /a\.ts:2 cannot be used: its brackets and operators nest too deeply.* Look values up in an array/,
    ],
    [
      'a chain of conditions that is too long for the engine',
      `export default { a: (t: string) => ${"t === '1' ? '2' : ".repeat(8e3)}'' };`,
      /a\.ts cannot be used: .*call stack size exceeded, for it nests too deeply.* Look values up in an array/,
    ],
    [
      'a computed import',
      'export default {\n  a: async (x: string) => (await import(x)).y,\n};',
      /a\.ts:2 .* whose name is computed .* Name the module in quotes/,
    ],
    [
      'a computed import with a remark in it',
      'export default { a: async (x: string) => (await import /* what? */ (x)).y };',
      /a\.ts:1 .* whose name is computed/,
    ],
    [
      'await at the top level',
      "const x = await Promise.resolve('');\nexport default { a: () => x };",
      /a\.ts:1:11 .* it awaits outside of a function.* Compute it when a request comes/,
    ],
    ['syntax', 'export default {\n  a: () => 1 +,\n};', /a\.ts:2:15 cannot be used: Unexpected token/],
    [
      'an export that is not there',
      "import { x } from './b.ts';\nexport default { a: () => x };",
      /a\.ts:1.*"x" is not exported by "b\.ts"/,
    ],
    ['nothing in it', '', /a\.ts .* it has no default export/],
    ['types only', 'export type A = string;', /a\.ts .* it has no default export/],
    ['a set-up that exhausts the stack', "JSON.parse('['.repeat(1e5)); export default {};", /Maximum call stack size/],
    [
      'a set-up that throws what cannot be shown',
      'throw { toString() { throw 1; } }; export default {};',
      /cannot be shown/,
    ],
    ['no default export', 'export const a = () => 1;', /a\.ts .* it has no default export. Write `export default/],
    [
      'a default export that is a function',
      "\nexport default () => '';",
      /a\.ts:2 .* its default export is a function, and must be an object/,
    ],
    ['a default export that is a list', 'export default [];', /a\.ts:1 .* is a list/],
    ['a default export that is null', 'export default null;', /is null, and must be/],
    ['no operation', 'export default {};', /a\.ts:1 .* has no operation. Write at least one/],
    [
      'too many operations',
      'export default Object.fromEntries(Array.from({ length: 65 }, (_, n) => ["o" + n, () => ""]));',
      /it has 65 operations, and at most 64/,
    ],
    [
      'an operation that is none',
      "export default {\n  a: () => '',\n  b: 12,\n};",
      /a\.ts:3 .* the operation "b" is the number 12, and must be a function/,
    ],
    [
      'a name with a capital',
      "export default {\n  a: () => '',\n  'Big One': () => '',\n};",
      /a\.ts:3 .* an operation is named "Big One", and a name is 1 to 64 of a-z.* Rename it, such as to "big_one"/,
    ],
    ['a name that is too long', `export default { ['x'.repeat(65)]: () => '' };`, /an operation is named "x{65}"/],
    ['a name with a comma', `export default { 'a,b': () => '' };`, /an operation is named "a,b".* such as to "a_b"/],
    ['a name in camel case', `export default { shoutLoud: () => '' };`, /such as to "shout_loud"/],
    ['a name that is empty', `export default { '': () => '' };`, /such as to "upper"/],
    [
      '`idempotent` of another type',
      "\nexport const idempotent = 'yes';\nexport default { a: () => '' };",
      /a\.ts:2 .* it exports `idempotent` as "yes", and may say true or false/,
    ],
    [
      'an unknown state',
      "export const state = 'keep';\nexport default { a: () => '' };",
      /a\.ts:1 .* `state` as "keep", and may say 'fresh' or 'kept'/,
    ],
    [
      'a payload that is a function',
      'export const payload = () => 1;\nexport default { a: () => "" };',
      /`payload` as a function, and may say 'text' or 'bytes'/,
    ],
    [
      'a throw while it sets itself up',
      "const f = () => {\n  throw new TypeError('no');\n};\nf();\nexport default { a: () => '' };",
      /a\.ts:2:\d+ .* it throws while it sets itself up: TypeError: no/,
    ],
    [
      'a throw out of what the bundler has added',
      'const f = () => {\n  using _list = {} as Disposable;\n};\nf();\nexport default { a: () => "" };',
      /a\.ts:2:\d+ .* it throws while it sets itself up: TypeError: .*disposable/,
    ],
    [
      'a throw of something that is no error',
      "throw { toString() { throw 1; } };\nexport default { a: () => '' };",
      /it throws while it sets itself up/,
    ],
    [
      'a getter that throws',
      "export default { get a(): () => string { throw new Error('got'); } };",
      /it throws while it sets itself up: Error: got/,
    ],
    [
      'functions of the language replaced',
      "Object.keys = () => [];\nJSON.stringify = () => '{';\nexport default { a: () => '' };",
      /it replaces functions of the language/,
    ],
    [
      'all memory taken',
      "const all: unknown[] = [];\nfor (;;) all.push(new Uint8Array(2 ** 22).fill(1));\nexport default { a: () => '' };",
      /a\.ts:2:\d+ .* takes more than 256 MiB \(InternalError: out of memory\)\. Make it when a request comes/,
    ],
    [
      'endless recursion',
      "const f = (): number => 1 + f();\nf();\nexport default { a: () => '' };",
      /Maximum call stack size exceeded/,
    ],
  ])('%s', async (_what, text, message) => {
    const path = files({
      ...{ 'a.ts': text, 'b.ts': 'export const y = 1;', 'c.cjs': "\nexports.x = require('crypto');" },
      ...{ 'a.css': 'a{}', 'a.png': '\x89PNG', 'node_modules/there/package.json': '{"name":"there","exports":{}}' },
    });
    expect(await refusal(path)).toMatch(message);
  });

  test('in a file that is imported', async () => {
    const path = files({
      'a.ts': "import './b.ts';\nexport default { a: () => '' };",
      'b.ts': "\n\nimport 'node:net';",
    });
    expect(await refusal(path)).toMatch(/^The service b\.ts:3 cannot be used: it imports "node:net"/);
  });

  test.each([
    ['missing.ts', /it cannot be read: there is no such file \(ENOENT\)/],
    ['data.json', /its name ends in ".json". Name a file that ends in .ts, .mts, .js, .mjs/],
    ['folder.ts', /it is no plain file/],
  ])('%s', async (name, message) => {
    files({ 'data.json': '{}', 'folder.ts/x': '' });
    expect(await refusal(join(folder, name))).toMatch(message);
  });

  test('a set-up without an end', async () => {
    const path = files({ 'a.ts': "for (;;);\nexport default { a: () => '' };" });
    const message = expect.stringMatching(/it does not end: it was cut off after 3000 ms.* must be quick/);
    await expect(openService(path, { ...QUIET, limitMs: 3_000 })).rejects.toMatchObject({
      code: 'SERVICE_INVALID',
      message,
    });
  });
});

test('a service whose set-up takes more than a VM has room for gets a larger one, and says so', async () => {
  const keeping = (mib: number): string =>
    `const keep = new Uint8Array(${mib} * 2 ** 20).fill(1);\nexport default { a: () => '' + keep.length };`;
  const path = files({ 'small.js': keeping(8), 'large.js': keeping(10), 'huge.js': keeping(60) });
  expect(await examine(path)).toMatchObject({ notes: [], memoryMib: undefined });
  const { notes, memoryMib } = await examine(join(folder, 'large.js'));
  expect(notes).toEqual([
    expect.stringMatching(/takes 21\.\d MiB .* a VM of 32 MiB has 19\.8 for it\. So a VM of it has 64 MiB$/),
  ]);
  expect(memoryMib).toBe(64);
  expect(await examine(join(folder, 'huge.js'))).toMatchObject({ memoryMib: 256 });
});
