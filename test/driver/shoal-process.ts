import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const SHOAL = fileURLToPath(new URL('../../bin/shoal', import.meta.url));

const running = new Set<ShoalProcess>();

/** Ends processes that tests have left running, in order, so that they end their own children. */
export async function killRunning(): Promise<void> {
  const left = [...running];
  for (const shoalProcess of left) {
    // A stopped process handles no other signal.
    shoalProcess.signal('SIGCONT');
    shoalProcess.signal('SIGTERM');
  }
  await Promise.all(left.map(({ finished }) => finished));
}

export interface Finished {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ShoalOptions {
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** A program to run instead of `bin/shoal`, with arguments that precede those of the command. */
  readonly command?: string;
  readonly before?: readonly string[];
  readonly cwd?: string;
}

/** A regular expression, or a function of the whole output. */
export type Pattern = Pick<RegExp, 'test'>;

/** One `shoal` command as a user runs it. Its output is kept, and tests await `firstLine` or `finished`. */
export class ShoalProcess {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  #stdout = '';
  #stderr = '';
  #hasEnded = false;
  /** Resolves at the next output, or at the end. One promise for whoever waits: no wait adds listeners to the child. */
  #news = Promise.withResolvers<void>();

  constructor(args: readonly string[], options: ShoalOptions = {}) {
    this.child = spawn(options.command ?? SHOAL, [...(options.before ?? []), ...args], {
      env: { ...process.env, SHOAL_INVOKED_AS: 'shoal', ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#tellNews();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#tellNews();
    });
    // A command may end before it has read its input.
    this.child.stdin?.on('error', () => undefined);
    this.child.stdin?.end(options.input ?? '');
    running.add(this);
    this.finished = once(this.child, 'close').then(() => {
      running.delete(this);
      this.#hasEnded = true;
      this.#tellNews();
      return this.#result();
    });
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The first line on standard output; rejects if the command ends without one. */
  async firstLine(): Promise<string> {
    await this.#until(() => this.#stdout.includes('\n'), 'before it printed a line');
    return this.#stdout.slice(0, this.#stdout.indexOf('\n'));
  }

  /** Resolves when standard error has that text; rejects if the command ends without. */
  stderrHas(pattern: Pattern): Promise<void> {
    return this.#until(() => pattern.test(this.#stderr), `without saying ${pattern}`);
  }

  stdoutHas(pattern: Pattern): Promise<void> {
    return this.#until(() => pattern.test(this.#stdout), `without saying ${pattern}`);
  }

  async #until(isSo: () => boolean, otherwise: string): Promise<void> {
    while (!isSo()) {
      if (this.#hasEnded) throw new Error(`shoal ended with ${this.child.exitCode} ${otherwise}: ${this.#stderr}`);
      await this.#news.promise;
    }
  }

  #tellNews(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  #result(): Finished {
    return { exitCode: this.child.exitCode, signal: this.child.signalCode, stdout: this.#stdout, stderr: this.#stderr };
  }
}

/** Runs a command to its end. */
export function shoal(args: readonly string[], options: ShoalOptions = {}): Promise<Finished> {
  return new ShoalProcess(args, options).finished;
}
