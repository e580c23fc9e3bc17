import { appendFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VmId } from '../../fleet/mod.ts';
import { makeFolder, readTail } from '../../process/mod.ts';

export interface LogLine {
  /** Milliseconds since the epoch, when the line was read. */
  readonly atMs: number;
  readonly text: string;
}

/** How many lines of a guest's log are kept in memory. */
const LOG_LINES_MAX = 1_000;
/** A larger file is replaced by the lines in memory. */
const FILE_BYTES_MAX = 1024 * 1024;

/**
 * The log of one guest: the last lines in memory, and in a file that outlives the guest. Losing lines to a full disk
 * must not stop a VM, so lines that cannot be written are dropped silently.
 */
export class GuestLog {
  readonly #path: string | undefined;
  readonly #lines: LogLine[] = [];
  #unwritten: LogLine[] = [];
  #fileBytes = 0;
  #writing: Promise<void> | undefined;

  /** @param folder where logs are kept; undefined keeps none */
  constructor(folder: string | undefined, vm: VmId) {
    this.#path = folder === undefined ? undefined : logPath(folder, vm);
  }

  /** Goes on with the file of an adopted VM. */
  async load(): Promise<void> {
    if (this.#path === undefined) return;
    this.#lines.unshift(...(await readLines(this.#path, LOG_LINES_MAX)));
    this.#fileBytes = (await stat(this.#path).catch(() => undefined))?.size ?? 0;
  }

  append(line: LogLine): void {
    this.#lines.push(line);
    if (this.#lines.length > LOG_LINES_MAX) this.#lines.shift();
    if (this.#path === undefined) return;
    this.#unwritten.push(line);
    if (this.#unwritten.length > LOG_LINES_MAX) this.#unwritten.shift();
    this.#writing ??= this.#write(this.#path);
  }

  /** The last lines, oldest first. */
  tail(linesMax: number): readonly LogLine[] {
    return linesMax <= 0 ? [] : this.#lines.slice(-linesMax);
  }

  /** Resolves when everything so far is in the file. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  /** One write after another, each with all lines that came meanwhile. */
  async #write(path: string): Promise<void> {
    try {
      while (this.#unwritten.length > 0) {
        const text = this.#unwritten.map(format).join('');
        this.#unwritten = [];
        if (this.#fileBytes + text.length > FILE_BYTES_MAX) await this.#replace(path);
        else await appendFile(path, text, { mode: 0o600 });
        this.#fileBytes += text.length;
      }
    } catch {
      this.#unwritten = [];
    } finally {
      this.#writing = undefined;
    }
  }

  async #replace(path: string): Promise<void> {
    const text = this.#lines
      .map(format)
      .join('')
      .slice(-FILE_BYTES_MAX / 2);
    await writeFile(`${path}.new`, text, { mode: 0o600 });
    await rename(`${path}.new`, path);
    this.#fileBytes = text.length;
  }
}

/** The last lines of a VM's log file, oldest first; none if there is no file. */
export async function readLog(folder: string, vm: VmId, linesMax: number): Promise<readonly LogLine[]> {
  return linesMax <= 0 ? [] : readLines(logPath(folder, vm), linesMax);
}

export async function makeLogFolder(folder: string): Promise<void> {
  makeFolder(folder);
}

export function logPath(folder: string, vm: VmId): string {
  return join(folder, `vm-${vm}.log`);
}

function format({ atMs, text }: LogLine): string {
  return `${new Date(atMs).toISOString()} ${text}\n`;
}

const LINE = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (.*)$/;

async function readLines(path: string, linesMax: number): Promise<readonly LogLine[]> {
  const lines: LogLine[] = [];
  for (const line of (await readTail(path, FILE_BYTES_MAX)).split('\n')) {
    const match = LINE.exec(line);
    // The first line may have lost its beginning.
    if (match !== null) lines.push({ atMs: Date.parse(match[1] ?? ''), text: match[2] ?? '' });
  }
  return lines.slice(-linesMax);
}
