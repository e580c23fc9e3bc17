import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** Fenced code of a page. */
export interface Block {
  /** The text behind the fence: `sh`, `console`, `ts`, or a longer one. */
  readonly info: string;
  readonly text: string;
  /** `run` if a comment above the fence says so: a test runs the block and compares the output. */
  readonly mark: string | undefined;
  /** Number of its first line of code, from 1. */
  readonly line: number;
}

export interface Piece {
  readonly text: string;
  readonly line: number;
}

const FENCE = /^```(.*)$/;
const MARK = /^<!-- (\w+) -->$/;

/** A Markdown page, parsed for the tests of the documentation. */
export class Page {
  /** Relative to the project's folder, such as `docs/rules.md`. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** The text with the lines of fenced code blanked out; line numbers stay the same. */
  readonly prose: string;

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
    const { blocks, prose } = divide(text);
    this.blocks = blocks;
    this.prose = prose;
  }

  static read(path: string): Page {
    return new Page(path, readFileSync(path, 'utf8'));
  }

  /** Code within a line. */
  get spans(): Piece[] {
    return this.#find(this.prose, /`([^`\n]+)`/g);
  }

  /** The targets of its links. Text in code is no link. */
  get links(): Piece[] {
    return this.#find(this.prose.replace(/`[^`\n]+`/g, blank), /\]\(([^)\s]+)\)/g);
  }

  /** The anchors of its headings, as the usual hosts generate them. */
  get anchors(): Set<string> {
    const anchors = new Set<string>();
    for (const { text } of this.#find(this.prose, /^#{1,6} +(.+)$/gm)) {
      const name = text
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-');
      let anchor = name;
      for (let again = 1; anchors.has(anchor); again++) anchor = `${name}-${again}`;
      anchors.add(anchor);
    }
    return anchors;
  }

  /** The text below a heading of the second level, up to the next one; undefined if there is none. */
  section(heading: string): string | undefined {
    const sections = `\n${this.text}`.split(/^## /m).slice(1);
    return sections.find((section) => section.startsWith(`${heading}\n`));
  }

  #find(text: string, pattern: RegExp): Piece[] {
    return [...text.matchAll(pattern)].map((match) => ({
      text: match[1] ?? '',
      line: text.slice(0, match.index).split('\n').length,
    }));
  }
}

/** Every page that is part of the project, or may be with the next commit. */
export function pages(): Page[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z', '*.md'], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  const paths = [...new Set(listed.split('\0'))].filter((path) => path !== '' && existsSync(path));
  return paths.map((path) => Page.read(path));
}

function divide(text: string): { blocks: Block[]; prose: string } {
  const blocks: Block[] = [];
  const prose: string[] = [];
  let open: { info: string; mark: string | undefined; line: number; lines: string[] } | undefined;
  let before = '';
  for (const [index, line] of text.split('\n').entries()) {
    const fence = FENCE.exec(line);
    if (fence !== null && open === undefined) {
      open = { info: fence[1] ?? '', mark: MARK.exec(before)?.[1], line: index + 2, lines: [] };
    } else if (fence !== null && open !== undefined) {
      const { lines, ...about } = open;
      blocks.push({ ...about, text: lines.join('\n') });
      open = undefined;
    } else open?.lines.push(line);
    prose.push(open === undefined && fence === null ? line : '');
    before = line;
  }
  return { blocks, prose: prose.join('\n') };
}

function blank(text: string): string {
  return ' '.repeat(text.length);
}
