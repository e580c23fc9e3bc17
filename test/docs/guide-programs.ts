/** A program of a guide, which stands before what it prints. */
export interface GuideProgram {
  /** The heading above it. */
  readonly title: string;
  readonly code: string;
  readonly prints: string;
  /** The modules under the same heading, by their names: each begins with a comment of its name. */
  readonly files: Readonly<Record<string, string>>;
}

const PROGRAM = /```ts\n((?:(?!```).)*)```\n+```text\n(.*?)```/gs;
const MODULE = /```ts\n(\/\/ ([\w-]+\.ts)\n.*?)```/gs;

export function programsOf(guide: string): readonly GuideProgram[] {
  return [...guide.matchAll(PROGRAM)].map(({ index, 1: code = '', 2: prints = '' }) => {
    const headings = [...guide.slice(0, index).matchAll(/^##+ (.*)$/gm)];
    const section = guide.slice(headings.at(-1)?.index ?? 0, index);
    const files = Object.fromEntries([...section.matchAll(MODULE)].map(([, text = '', name = '']) => [name, text]));
    // A program without an import is a script to the compiler, and shares its names with the others.
    return { title: headings.at(-1)?.[1] ?? 'the guide', code: `${code}export {};\n`, prints, files };
  });
}
