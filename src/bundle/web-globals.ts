import { fileURLToPath } from 'node:url';
import { TARGET } from './target.ts';

interface WebGlobal {
  /** The address of the module that has it. */
  readonly module: () => string;
  /** Its export there. */
  readonly exported: string;
}

const encoding = () => import.meta.resolve('@exodus/bytes/encoding-lite.js');

/** What scripts know from browsers and Node, and the engine lacks. */
const WEB_GLOBALS: ReadonlyMap<string, WebGlobal> = new Map([
  ['TextDecoder', { module: encoding, exported: 'TextDecoder' }],
  ['TextEncoder', { module: encoding, exported: 'TextEncoder' }],
  ['URL', { module: () => import.meta.resolve('core-js-pure/actual/url/index.js'), exported: 'default' }],
  [
    'URLSearchParams',
    { module: () => import.meta.resolve('core-js-pure/actual/url-search-params/index.js'), exported: 'default' },
  ],
  [
    'structuredClone',
    { module: () => import.meta.resolve('core-js-pure/actual/structured-clone.js'), exported: 'default' },
  ],
]);

/** The name of the global object in scripts for browsers, and in many packages that are for all. */
const SELF = "Object.defineProperty(globalThis, 'self', { value: globalThis, writable: true, configurable: true });\n";

const ENTRY = 'web-globals';
const made = new Map<string, Promise<string>>();

/** A script that defines those of them that `code` names, to be run before it; empty if it names none. */
export async function webGlobalsOf(code: string): Promise<string> {
  return `${/(?<![.\w$])self\b/.test(code) ? SELF : ''}${await withModules(code)}`;
}

async function withModules(code: string): Promise<string> {
  const named = [...WEB_GLOBALS].filter(([name]) => new RegExp(`\\b${name}\\b`).test(code));
  if (named.length === 0) return '';
  const key = named.map(([name]) => name).join();
  const script = made.get(key) ?? make(new Map(named));
  made.set(key, script);
  return await script;
}

async function make(named: ReadonlyMap<string, WebGlobal>): Promise<string> {
  const { rolldown } = await import('rolldown');
  const build = await rolldown({
    input: ENTRY,
    // The variants for browsers take it that these globals are there.
    platform: 'neutral',
    plugins: [
      {
        name: ENTRY,
        resolveId: (source) => (source === ENTRY ? source : undefined),
        load: (id) => (id === ENTRY ? entryOf(named) : undefined),
      },
    ],
    transform: { target: TARGET },
  });
  try {
    const { output } = await build.generate({ format: 'iife', codeSplitting: false, comments: false, minify: true });
    return output[0].code;
  } finally {
    await build.close();
  }
}

function entryOf(named: ReadonlyMap<string, WebGlobal>): string {
  const imports = [...named].map(
    ([name, { module, exported }]) =>
      `import { ${exported} as ${name} } from ${JSON.stringify(fileURLToPath(module()))};`,
  );
  const define = 'Object.defineProperty(globalThis, name, { value, writable: true, configurable: true })';
  const all = [...named.keys()].join(', ');
  return [...imports, `for (const [name, value] of Object.entries({ ${all} })) ${define};`].join('\n');
}
