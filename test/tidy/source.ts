import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { layersOf } from './code.ts';

/** A file of the project, as the rules see it. */
export class Source {
  /** From the project's folder, as in `src/fleet/policy.ts`. */
  readonly path: string;
  readonly text: string;
  /** The text with the content of comments and strings blanked out. Offsets and line numbers stay the same. */
  readonly code: string;
  /** The text with everything but its comments blanked out. */
  readonly comments: string;

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
    const layers = /\.(ts|mjs)$/.test(path) ? layersOf(text) : { code: text, comments: '' };
    this.code = layers.code;
    this.comments = layers.comments;
  }

  get lines(): string[] {
    return this.text.trimEnd().split('\n');
  }

  /** A test, or what only tests use. */
  get isTest(): boolean {
    return this.path.endsWith('.test.ts') || this.path.includes('/testing/');
  }

  /** `path:line`, the way terminals make it a link. */
  at(offset: number): string {
    return `${this.path}:${this.lineAt(offset) + 1}`;
  }

  lineAt(offset: number): number {
    return this.text.slice(0, offset).split('\n').length - 1;
  }

  /** Whether there is a comment on the line of `offset` or on one of the `above` lines before it. */
  hasCommentNear(offset: number, above: number): boolean {
    const line = this.lineAt(offset);
    const comments = this.comments.split('\n').slice(Math.max(0, line - above), line + 1);
    return comments.some((comment) => comment.trim() !== '');
  }
}

/** Every text file that is part of the project, or may be with the next commit. */
export function projectFiles(): Source[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  const paths = [...new Set(listed.split('\0'))].filter((path) => path !== '' && existsSync(path));
  return paths.map((path) => new Source(path, readFileSync(path, 'utf8')));
}

/** Every match of `pattern` in one layer of a source, with its place. */
export function findAll(source: Source, part: 'code' | 'text', pattern: RegExp): { place: string; offset: number }[] {
  const matches = [...source[part].matchAll(pattern)];
  return matches.map((match) => ({ place: `${source.at(match.index)}: ${match[0].trim()}`, offset: match.index }));
}
