import { readFileSync } from 'node:fs';
import { ERRORS } from '../errors.ts';

/** One rule, error, reason or parameter, as Shoal's documents explain it. */
export type Entry =
  | {
      readonly kind: 'rule';
      readonly name: string;
      readonly title: string;
      readonly text: string;
      /** Where the page has it: a path in the project, and the heading. */
      readonly page: string;
      /** `route in src/fleet/policy/route.ts` */
      readonly functions: readonly string[];
      /** Paths in the project. */
      readonly tests: readonly string[];
    }
  | { readonly kind: 'error'; readonly name: string; readonly meaning: string; readonly remedy: string }
  | {
      readonly kind: 'parameter';
      readonly name: string;
      readonly meaning: string;
      readonly default: number;
      readonly least: number;
      readonly most: number;
      readonly rules: string;
    }
  /** The word for why a VM or a request ends, or requests wait. */
  | { readonly kind: 'reason'; readonly name: string; readonly meaning: string };

/** All entries, in the order of the documents. Lookups ignore case. */
export class Reference {
  readonly entries: readonly Entry[];

  constructor(rules: string, errors: string, parameters: string) {
    this.entries = [...rulesIn(rules), ...errorsIn(errors), ...reasonsIn(errors), ...parametersIn(parameters)];
  }

  /** Reads `docs/`, which is two folders up both in the checkout and in the package. */
  static read(): Reference {
    const page = (name: string): string => readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8');
    return new Reference(page('rules'), page('errors'), page('parameters'));
  }

  find(name: string): Entry | undefined {
    return this.entries.find((entry) => entry.name.toLowerCase() === name.toLowerCase());
  }

  /** Entries whose name contains `part`. */
  like(part: string): readonly Entry[] {
    return this.entries.filter((entry) => entry.name.toLowerCase().includes(part.toLowerCase()));
  }
}

function rulesIn(page: string): Entry[] {
  return page
    .split(/^## /m)
    .slice(1)
    .flatMap((section) => {
      const [heading = '', ...lines] = section.split('\n');
      const match = /^(R\d+) (.+)$/.exec(heading);
      if (match === null) return [];
      const [, name = '', title = ''] = match;
      const [text = '', sources = ''] = lines.join('\n').split(/^(?=\*Decided by\* )/m);
      const links = [...sources.matchAll(/\[`([\w.-]+)`\]\(\.\.\/([^)]+)\)/g)];
      const places = links.map(([, what = '', path = '']) => ({ what, path, isTest: path.endsWith('.test.ts') }));
      return {
        kind: 'rule',
        name,
        title,
        text: plain(text.trim()),
        page: `docs/rules.md#${`${name} ${title}`.toLowerCase().replaceAll(' ', '-')}`,
        functions: places.filter(({ isTest }) => !isTest).map(({ what, path }) => `${what} in ${path}`),
        tests: places.filter(({ isTest }) => isTest).map(({ path }) => path),
      } as const;
    });
}

function errorsIn(page: string): Entry[] {
  return [...page.matchAll(/^\| `([A-Z_]+)` \| (.+?) \| (.+?) \|$/gm)].map(
    ([, name = '', meaning = '', remedy = '']) => ({
      kind: 'error',
      name,
      // The registry in the code is authoritative; a test keeps the page equal to it.
      meaning: Object.entries(ERRORS).find(([code]) => code === name)?.[1] ?? plain(meaning),
      remedy: plain(remedy),
    }),
  );
}

/** Each table stands under a heading, and its head says what it is that has the reason: `the VM ends because`. */
function reasonsIn(page: string): Entry[] {
  return page.split(/^### /m).flatMap((section) => {
    const subject = /^\| reason \| \w+ \| (.+) because \|$/m.exec(section)?.[1];
    if (subject === undefined) return [];
    const rows = [...section.matchAll(/^\| `([a-z-]+)` \| .*?\| (.+) \|$/gm)];
    return rows.map(([, name = '', because = '']) => {
      return { kind: 'reason', name, meaning: plain(`${subject} because ${because}`) } as const;
    });
  });
}

function parametersIn(page: string): Entry[] {
  const rows = page.matchAll(/^\| `(\w+)` \| (\d+) \| (\d+) \| (\d+) \| (.+) \| (R\d.*) \|$/gm);
  return [...rows].map(([, name = '', standard, least, most, meaning = '', rules = '']) => ({
    kind: 'parameter',
    name,
    meaning: plain(meaning),
    default: Number(standard),
    least: Number(least),
    most: Number(most),
    rules,
  }));
}

/** Strips links and emphasis, which mean nothing on a terminal. */
function plain(markdown: string): string {
  return markdown.replace(/\[([^\]]+)\]\([^)]+\)/g, '$1').replace(/(?<!\w)\*([^*\n]+)\*(?!\w)/g, '$1');
}
