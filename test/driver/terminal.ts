import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { eventually, temporaryFolder } from './fleet.ts';

const execute = promisify(execFile);
const SHOAL = fileURLToPath(new URL('../../bin/shoal', import.meta.url));

export interface TerminalOptions {
  readonly width?: number;
  readonly height?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Each look starts a tmux command, so fewer looks than elsewhere take as long. */
const LOOKS_MAX = 1_000;

/** The exit of a command on the terminal, and the state of the terminal after it. */
export interface Left {
  readonly exitCode: number;
  /** Settings of the line discipline: echo, line editing, ... */
  readonly sameSettings: boolean;
  readonly alternateScreen: boolean;
  readonly cursorShown: boolean;
}

/** A terminal with a shell, in a tmux server of its own that ends with the test. */
export class Terminal {
  readonly #folder: string;
  readonly #socket: string;

  private constructor() {
    this.#folder = temporaryFolder();
    this.#socket = join(this.#folder, 'tmux');
  }

  static async open({ width = 80, height = 24, env = {} }: TerminalOptions = {}): Promise<Terminal> {
    const terminal = new Terminal();
    onTestFinished(() => terminal.close());
    const variables = { ENV: '', NO_COLOR: '', ...env };
    const settings = Object.entries(variables).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    await terminal.#tmux('new-session', '-d', '-x', String(width), '-y', String(height), ...settings, 'sh');
    await terminal.#tmux('set-option', '-g', 'status', 'off');
    await terminal.#tmux('resize-window', '-x', String(width), '-y', String(height));
    await terminal.shows('a prompt', /^[$#]/m);
    return terminal;
  }

  /** Types a `shoal` command; `left` resolves when it has ended. */
  shoal(...args: readonly string[]): Promise<void> {
    return this.run(SHOAL, ...args);
  }

  /** Like `shoal`, for any program. */
  async run(...command: readonly string[]): Promise<void> {
    const words = command.map((word) => `'${word}'`).join(' ');
    // The shell is replaced by the program, so the noted pid is that of the program.
    const noted = `sh -c 'echo $$ >${this.#file('pid')}; exec "$@"' sh ${words}`;
    const settings = (name: string): string => `stty -g >${this.#file(name)}`;
    const line = `${settings('before')}; ${noted}; code=$?; ${settings('after')}; echo $code >${this.#file('code')}`;
    await this.#tmux('send-keys', '-l', line);
    await this.keys('Enter');
  }

  /** Names of keys are tmux's: `q`, `C-c`, `Enter`, `PageDown`. */
  async keys(...names: readonly string[]): Promise<void> {
    await this.#tmux('send-keys', ...names);
  }

  async resize(width: number, height: number): Promise<void> {
    await this.#tmux('resize-window', '-x', String(width), '-y', String(height));
  }

  /** Sends a signal to the command that was typed last, as from another terminal. */
  signal(signal: NodeJS.Signals): void {
    process.kill(Number(readFileSync(this.#file('pid'), 'utf8')), signal);
  }

  /** Stops its output as Ctrl-S does, or lets it go on. */
  async flow(how: 'stop' | 'go'): Promise<void> {
    const path = (await this.#tmux('display-message', '-p', '#{pane_tty}')).trim();
    // Of tcflow(3): TCXONC with TCOOFF or TCOON.
    const script = 'open(my $tty, "+<", $ARGV[0]) or die; ioctl($tty, 0x540A, $ARGV[1] + 0) or die';
    await execute('perl', ['-e', script, path, how === 'stop' ? '0' : '1'], { timeout: 30_000 });
  }

  /** The visible text, line by line. */
  async screen(): Promise<readonly string[]> {
    return (await this.#tmux('capture-pane', '-p')).split('\n').slice(0, -1);
  }

  /** The visible text with its colours as escape sequences. */
  colours(): Promise<string> {
    return this.#tmux('capture-pane', '-p', '-e');
  }

  /** Polls until the condition holds for the screen. */
  async shows(what: string, pattern: RegExp): Promise<string> {
    let last = '';
    const see = async (): Promise<string | undefined> => {
      last = (await this.screen()).join('\n');
      return pattern.test(last) ? last : undefined;
    };
    try {
      return await eventually(`the terminal shows ${what}`, see, LOOKS_MAX);
    } catch (error) {
      throw new Error(`It showed:\n${last}`, { cause: error });
    }
  }

  /** Resolves when the command that was typed last has ended. */
  async left(): Promise<Left> {
    const exitCode = await eventually('the command ended', () => this.#read('code'));
    const after = await eventually('the settings were noted', () => this.#read('after'));
    const flags = await this.#tmux('display-message', '-p', '#{alternate_on} #{cursor_flag}');
    const [alternate, cursor] = flags.trim().split(' ');
    return {
      exitCode: Number(exitCode),
      sameSettings: this.#read('before') === after,
      alternateScreen: alternate === '1',
      cursorShown: cursor === '1',
    };
  }

  /** Closes its window. A second call does nothing. */
  async close(): Promise<void> {
    await this.#tmux('kill-server').catch(() => undefined);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }

  #read(name: string): string | undefined {
    try {
      const text = readFileSync(this.#file(name), 'utf8');
      return text.endsWith('\n') ? text : undefined;
    } catch {
      return undefined;
    }
  }

  async #tmux(...args: readonly string[]): Promise<string> {
    const env = { ...process.env, LC_ALL: 'C.UTF-8', TERM: 'xterm-256color', SHOAL_INVOKED_AS: 'bin/shoal' };
    const { stdout } = await execute('tmux', ['-S', this.#socket, '-f', '/dev/null', '-u', ...args], {
      env,
      timeout: 30_000,
    });
    return stdout;
  }
}
