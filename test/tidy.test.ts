/** The rules of CONTRIBUTING.md that neither the compiler nor the linter checks. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { importCircles } from './tidy/circles.ts';
import { importFindings } from './tidy/layers.ts';
import { MAY_PASS_THE_PORTS, pastThePorts, reasonOf } from './tidy/ports.ts';
import { findAll, projectFiles, Source } from './tidy/source.ts';

const LINES_MAX = 450;

/**
 * The packages that the product must use itself: one that only stands in package.json, or only serves tests, does not
 * count.
 */
const RUNTIME_PACKAGES = ['@msgpack/msgpack', 'blessed', 'blessed-contrib', 'comlink', 'lowdb', 'nats', 'piscina'];

const files = projectFiles();
const typescript = files.filter((file) => file.path.endsWith('.ts'));
const code = files.filter((file) => /\.(ts|mjs|sh|c|cpp|h|S)$/.test(file.path) || /^(bin|\.ci)\//.test(file.path));
/** The rules themselves name what they forbid. */
const notTheRules = (file: Source) => !file.path.startsWith('test/tidy');

describe('the layers', () => {
  test('imports go down only, and through mod.ts', () => {
    expect(typescript.flatMap(importFindings)).toEqual([]);
  });

  test('no imports in a circle, not even of types', () => {
    expect(importCircles(typescript.filter((file) => file.path.startsWith('src/')))).toEqual([]);
  });

  test('every folder of src/ has its public file', () => {
    const paths = new Set(files.map((file) => file.path));
    const folders = new Set(typescript.flatMap((file) => file.path.match(/^src\/[^/]+(?=\/)/) ?? []));
    expect([...folders].filter((folder) => !paths.has(`${folder}/mod.ts`))).toEqual([]);
  });
});

describe('time and chance', () => {
  const product = typescript.filter((file) => file.path.startsWith('src/') && !isForTests(file) && !isKit(file));

  test('come through the ports `Clock` and `Random`, but in the adapters', () => {
    expect(product.flatMap(pastThePorts)).toEqual([]);
  });

  test('each file that may pass the ports does, and says why', () => {
    const passing = new Set(product.filter(readsTheMachine).map(({ path }) => reasonOf(path)));
    expect(Object.keys(MAY_PASS_THE_PORTS).filter((one) => !passing.has(one))).toEqual([]);
    expect(Object.values(MAY_PASS_THE_PORTS).filter((reason) => reason.length < 20)).toEqual([]);
  });
});

describe('the packages', () => {
  const product = typescript.filter((file) => file.path.startsWith('src/') && !isForTests(file));

  test('each that must stand is imported by the product, for more than its types', () => {
    expect(RUNTIME_PACKAGES.filter((name) => !product.some((file) => importsPackage(file, name)))).toEqual([]);
  });

  test('each that must stand is a dependency, pinned exactly, and no other is there without a use', () => {
    // Our own file.
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      dependencies: Record<string, string>;
    };
    expect(Object.keys(dependencies)).toEqual(expect.arrayContaining(RUNTIME_PACKAGES));
    expect(Object.entries(dependencies).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
    const unused = Object.keys(dependencies).filter((name) => !product.some((file) => importsPackage(file, name)));
    expect(unused).toEqual([]);
  });
});

describe('the types', () => {
  test('no `using`, which Node 22 cannot read, outside of what is for tests', () => {
    const declarations = /^\s*(?:await )?using \w+ =/gm;
    const shipped = typescript.filter((file) => file.path.startsWith('src/') && !isForTests(file) && !isKit(file));
    expect(shipped.flatMap((file) => findAll(file, 'code', declarations)).map(({ place }) => place)).toEqual([]);
  });

  test('no `any`, no `!`, no silenced compiler', () => {
    const loopholes = /(?<![.\w])any\b(?!\()|[\w)\]]!(?=[.[;,)])/g;
    const silenced = /@ts-(ignore|nocheck|expect-error)/g;
    const findings = typescript
      .filter(notTheRules)
      .flatMap((file) => [...findAll(file, 'code', loopholes), ...findAll(file, 'text', silenced)]);
    expect(findings.map((finding) => finding.place)).toEqual([]);
  });

  test('every cast has its reason beside it', () => {
    expect(typescript.flatMap(castsWithoutReason)).toEqual([]);
  });
});

describe('the text', () => {
  test(`no file of code is longer than ${LINES_MAX} lines`, () => {
    const long = code.filter((file) => file.lines.length > LINES_MAX);
    expect(long.map((file) => `${file.path}: ${file.lines.length} lines`)).toEqual([]);
  });

  test('nothing is put off', () => {
    expect(places(code, 'text', /\b(TODO|FIXME|XXX|HACK)\b|\bfor now\b/g)).toEqual([]);
  });

  test("no path of somebody's machine", () => {
    expect(places(files, 'text', /(?<![\w.$}-])\/(work|home\/\w+|root)\/[\w.]+/g)).toEqual([]);
  });

  test('no host of a package registry or mirror, and no download address in a lock file', () => {
    const hosts = /\b(registry|npm|deb|mirrors?|archive|security|proxy)\.[a-z0-9-]+\.(org|com|net|io|dev)\b/g;
    expect(places(files, 'text', hosts)).toEqual([]);
    const locks = files.filter((file) => /(^|\/)(package-lock|npm-shrinkwrap)\.json$/.test(file.path));
    expect(places(locks, 'text', /"resolved":.*/g)).toEqual([]);
  });
});

describe('the tests', () => {
  test('none sleeps for luck', () => {
    expect(typescript.filter(isForTests).flatMap(sleepsForLuck)).toEqual([]);
  });

  test("none has an `it` of its own, which would hide vitest's: a fixture has a name", () => {
    expect(typescript.filter(isForTests).flatMap(namedIt)).toEqual([]);
  });
});

describe('a worker or a file beside the code', () => {
  test('is found in the compiled package too: tsc does not rewrite these addresses', () => {
    const product = typescript.filter((file) => file.path.startsWith('src/') && !isForTests(file));
    expect(places(product, 'text', /new URL\(\s*['"][^'"]*\.ts['"]\s*,\s*import\.meta\.url/g)).toEqual([]);
  });
});

describe('the rules themselves find', () => {
  test.each([
    ['an import upwards', 'src/actors/a.ts', "import { b } from '../fleet/mod.ts';"],
    ['an import past mod.ts', 'src/cli/a.ts', "import { b } from '../fleet/policy.ts';"],
    ['an import between neighbours', 'src/store/a.ts', "export * from '../transport/mod.ts';"],
    ['a dynamic import upwards', 'src/fleet/a.ts', "const b = await import('../app/mod.ts');"],
    ['a test helper in the product', 'src/fleet/a.ts', "import { b } from '../../test/b.ts';"],
  ])('%s', (_what, path, text) => {
    expect(importFindings(new Source(path, text))).toHaveLength(1);
  });

  test.each([
    ['of one file', { a: ['./a.ts'] }, ['src/a.ts -> src/a.ts']],
    ['of two', { a: ['./b.ts'], b: ['./a.ts', './c.ts'] }, ['src/a.ts -> src/b.ts -> src/a.ts']],
    [
      'of three, as its shortest way',
      { a: ['./b.ts', './d.ts'], b: ['./c.ts'], c: ['./a.ts'], d: ['./b.ts'] },
      ['src/a.ts -> src/b.ts -> src/c.ts -> src/a.ts'],
    ],
    [
      'that another file leads to',
      { a: ['./b.ts'], b: ['./c.ts'], c: ['./b.ts'] },
      ['src/b.ts -> src/c.ts -> src/b.ts'],
    ],
    ['and none where two ways meet', { a: ['./b.ts', './c.ts'], b: ['./d.ts'], c: ['./d.ts'], d: [] }, []],
  ])('a circle of imports %s', (_what, files, circles) => {
    const sources = Object.entries(files).map(([name, imports]) => {
      const lines = imports.map((path) => `import type { T } from '${path}';`);
      return new Source(`src/${name}.ts`, lines.join('\n'));
    });
    expect(importCircles(sources)).toEqual(circles);
  });

  test.each([
    ['an import', "import { a } from 'lowdb';", true],
    ['an import of a file of it', "import { a } from 'lowdb/node';", true],
    ['an import with a type among values', "import { type A, b } from 'lowdb';", true],
    ['a type alone', "import type { A } from 'lowdb';", false],
    ['types alone, in braces', "import { type A, type B } from 'lowdb';", false],
    ['another package', "import { a } from 'lowdb2';", false],
  ])('whether a package is used: %s', (_what, text, isUse) => {
    expect(importsPackage(new Source('src/a/a.ts', text), 'lowdb')).toBe(isUse);
  });

  test.each([
    ['the wall clock', 'const a = Date.now();', 1],
    ['the same in another way', 'const a = new Date();', 1],
    ['a timer', 'setTimeout(a, 5);', 1],
    ['a timer that is imported', "import { setTimeout as sleep } from 'node:timers/promises';", 2],
    ['chance', 'const a = Math.random;', 1],
    ['chance that is imported', "import { randomBytes } from 'node:crypto';\nconst a = randomBytes(4);", 2],
    ['the adapter itself', 'systemClock.timer(5, a);\nconst clock = systemClock;', 2],
    [
      'a default',
      'function a({ b, clock = systemClock }: C, d: Clock = systemClock) {\n  e = f ?? systemRandom;\n}',
      0,
    ],
    ['the name of a moment and a comment', 'const a = new Date(b); // Date.now()', 0],
  ])('what passes the ports: %s', (_what, text, count) => {
    expect(pastThePorts(new Source('src/fleet/a.ts', text))).toHaveLength(count);
    expect(pastThePorts(new Source('src/actors/kit/a.ts', text))).toEqual([]);
  });

  test.each([
    ['a bare cast', 'const a = b as C;', 1],
    ['a cast with its reason above', '// b comes from JSON that was checked\nconst a = b as C;', 0],
    ['a cast with its reason beside it', 'const a = b as C; // checked above', 0],
    [
      'names, constants and prose',
      "import { a as b } from './c.ts';\nconst d = ['as C'] as const; const e = `as C`;",
      0,
    ],
    ['an address, which is no comment', "const a = 'nats://b' as C;", 1],
    ['a cast in a template', `const a = \`\${b as C} as D\`;`, 1],
  ])('%s', (_what, text, count) => {
    expect(castsWithoutReason(new Source('src/a/a.ts', text))).toHaveLength(count);
  });

  test.each([
    ['a variable', 'const it = fixture();', 1],
    ['one that is disposed of', 'await using it = fixture();', 1],
    ['a parameter', 'function f(a: string, it: Fixture) {}', 1],
    ['a parameter without parentheses', 'all.map(it => it.id);', 1],
    ['a field taken out', 'const { a, it } = fixture();', 1],
    [
      "vitest's own",
      "import { expect, it } from 'vitest';\nit('says it', () => {});\nit.each([1])('%i', () => {});",
      0,
    ],
  ])('whether a test has an `it` of its own: %s', (_what, text, count) => {
    expect(namedIt(new Source('src/a/a.test.ts', text))).toHaveLength(count);
  });

  test.each([
    ['a sleep', "import { setTimeout as sleep } from 'node:timers/promises';", 1],
    ['a sleep by hand', 'await new Promise((resolve) => setTimeout(resolve, 100));', 1],
    [
      'a poll that says what it waits for',
      '// pause: until the port answers\nawait new Promise((r) => setTimeout(r, 5));',
      0,
    ],
    ['a deadline', "setTimeout(() => fail(new Error('late')), 1000);", 0],
  ])('%s', (_what, text, count) => {
    expect(sleepsForLuck(new Source('src/a/a.test.ts', text))).toHaveLength(count);
  });
});

/** An import or re-export of values, from the package or from a file in it. */
function importsPackage(source: Source, name: string): boolean {
  // A file of a package may be all that is wanted of it.
  if (new RegExp(`\\b(?:import|resolve)\\('${name}(?:/[^']*)?'\\)`).test(source.text)) return true;
  const imports = new RegExp(`^(?:import|export)\\s+(?!type\\b)[^;]*?from\\s+'${name}(?:/[^']*)?'`, 'gm');
  return [...source.text.matchAll(imports)].some(([text]) => !/^\w+\s*\{(?:\s*type\s+[^,}]+,?)*\s*\}/.test(text));
}

function places(sources: readonly Source[], part: 'code' | 'text', pattern: RegExp): string[] {
  const findings = sources.filter(notTheRules).flatMap((file) => findAll(file, part, pattern));
  return findings.map((finding) => finding.place);
}

function castsWithoutReason(source: Source): string[] {
  const renamed = /\b(import|export)\b[^;]*?(\{[^{}]*\}|\*\s+as\s+\w+)/g;
  const withoutNames = source.code.replaceAll(renamed, (names) => names.replaceAll(/\bas\b/g, '  '));
  return [...withoutNames.matchAll(/\bas\s+(?!const\b)[\w{[(<"'].*/g)]
    .filter((cast) => !source.hasCommentNear(cast.index, 2))
    .map((cast) => `${source.at(cast.index)}: ${cast[0].trim()}`);
}

function isForTests(file: Source): boolean {
  return file.isTest || file.path.startsWith('test/') || /(\/testing\/|fixture|testing)[^/]*\.ts$/.test(file.path);
}

/** What stands in `kit/` is for tests; that of the actors is also given away, and has an entry of its own. */
function isKit({ path }: Source): boolean {
  return path.includes('/kit/') && !path.startsWith('src/actors/kit/');
}

function readsTheMachine({ path, text }: Source): boolean {
  return pastThePorts(new Source('src/fleet/a.ts', text)).length > 0 && reasonOf(path) !== undefined;
}

/** The first place in a source where a parameter or a variable is named `it`. */
function namedIt(source: Source): string[] {
  const imports = /\bimport\b[^;]*?\bfrom\b/g;
  const withoutImports = source.code.replaceAll(imports, (text) => text.replaceAll(/\w/g, ' '));
  const declaration = /\b(?:const|let|var|using)\s+it\b|\bit\s*=>|[(,{]\s*it\s*(?=[,):?=}])/.exec(withoutImports);
  return declaration === null ? [] : [`${source.at(declaration.index)}: ${declaration[0].trim()}`];
}

/**
 * A test may pause between two looks at something that has no event, if a comment `pause: ...` says what it waits for.
 */
function sleepsForLuck(source: Source): string[] {
  const pauses = /setTimeout\(\s*(resolve|done|r|res|ok)\s*,|timers\/promises/g;
  const lines = source.text.split('\n');
  return findAll(source, 'text', pauses)
    .filter(({ offset }) => {
      const line = source.lineAt(offset);
      return !lines.slice(Math.max(0, line - 2), line + 1).some((text) => text.includes('pause: '));
    })
    .filter(() => notTheRules(source))
    .map((finding) => finding.place);
}
