/** A program of a guide, which stands before what it prints. */
export interface GuideProgram {
  /** The heading above it. */
  readonly title: string;
  readonly code: string;
  readonly prints: string;
}

export function programsOf(guide: string): readonly GuideProgram[] {
  return [...guide.matchAll(/```ts\n(.*?)```\n+```text\n(.*?)```/gs)].map(({ index, 1: code = '', 2: prints = '' }) => {
    const headings = [...guide.slice(0, index).matchAll(/^## (.*)$/gm)];
    // A program without an import is a script to the compiler, and shares its names with the others.
    return { title: headings.at(-1)?.[1] ?? 'the guide', code: `${code}export {};\n`, prints };
  });
}
