import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';

/** What the fake programs of a machine do, as shell script. One that is not named here is not on the machine. */
export type Programs = Readonly<Record<string, string>>;

export type ProcessResult = { code: number | null; stdout: string; stderr: string };

export type Running = {
  ended: Promise<ProcessResult>;
  /** Resolves once the set-up has said this on stderr; rejects if it ends without having done so. */
  said: (text: string) => Promise<void>;
};

/** For a fake program that takes its time: it ends when the test calls `machine.go()`. */
export const UNTIL_GO = 'until [ -e "$FOLDER/go" ]; do sleep 0.05; done';

/** A build script that notes its call and makes an image: the guest's, or the engine's. */
export const BUILD = `mkdir -p includeos/build
if [ "$*" = '--variant engine' ]; then what=engine; else what=image; fi
echo $what >> "$CALLS"
case $what in engine) echo ELF > includeos/build/shoal-engine.elf ;; *) echo ELF > includeos/build/shoal-guest.elf ;; esac
`;

const SET_UP_TIMEOUT_MS = 40_000;
/** Programs that a shell script needs to do anything at all; they are no part of what is tested. */
const BASICS = ['sh', 'cat', 'mkdir', 'rm', 'touch', 'sleep', 'chmod', 'node', 'kill', 'flock'];

/** Every program that the set-up looks for, as fakes that succeed at once. */
export const EVERYTHING: Programs = {
  'qemu-system-x86_64': ':',
  bwrap: ':',
  'nats-server': ':',
  gcc: ':',
  'g++': ':',
  ld: ':',
  tar: ':',
  xz: ':',
  wasm2c: ':',
  tmux: ':',
  id: 'echo 0',
  'apt-get': ':',
  systemctl: ':',
  npm: 'mkdir -p node_modules && cat package-lock.json > node_modules/.package-lock.json',
};

export function without(programs: Programs, ...names: readonly string[]): Programs {
  return Object.fromEntries(Object.entries(programs).filter(([name]) => !names.includes(name)));
}

/**
 * A fresh clone on a machine of its own: a folder with the real set-up in it, beside it one with fake programs that
 * note how they were called. Nothing of the machine that runs the test is touched.
 */
export class FakeMachine {
  readonly checkout: string;
  readonly #folder: string;

  constructor(programs: Programs) {
    this.#folder = mkdtempSync(join(tmpdir(), 'shoal-setup-test-'));
    onTestFinished(() => rmSync(this.#folder, { recursive: true, force: true }));
    this.checkout = join(this.#folder, 'clone');
    mkdirSync(join(this.#folder, 'bin'));
    mkdirSync(join(this.#folder, 'usr/sbin'), { recursive: true });
    for (const name of BASICS) symlinkSync(programPath(name), join(this.#folder, 'bin', name));
    for (const [name, script] of Object.entries(programs)) this.install(name, script);

    cpSync(resolve('setup'), join(this.checkout, 'setup'), { recursive: true });
    this.write('package-lock.json', lockFile('1.0.0'));
    this.write('includeos/build.sh', BUILD);
    this.write('includeos/service/service.cpp', '// what the guest does\n');
  }

  /** Puts a fake program on the PATH; `$0` and its arguments are noted before its script runs. */
  install(name: string, script: string): void {
    const path = join(this.#folder, 'bin', name);
    writeFileSync(path, `#!/bin/sh\necho "${name} $*" >> "$CALLS"\n${script}\n`);
    chmodSync(path, 0o755);
  }

  write(name: string, text: string): void {
    mkdirSync(join(this.checkout, name, '..'), { recursive: true });
    writeFileSync(join(this.checkout, name), text);
  }

  /** A file below the fake machine's `/`. */
  systemFile(name: string): string {
    return join(this.#folder, name);
  }

  /** How the programs were called so far, one line a call, in order. */
  calls(): string[] {
    const path = join(this.#folder, 'calls');
    return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
  }

  /** Runs the set-up to its end. */
  setUp(...args: readonly string[]): Promise<ProcessResult> {
    return this.start(...args).ended;
  }

  /** Lets the fake programs end that run `UNTIL_GO`. */
  go(): void {
    writeFileSync(join(this.#folder, 'go'), '');
  }

  start(...args: readonly string[]): Running {
    const child = spawn(join(this.#folder, 'bin/node'), [join(this.checkout, 'setup/setup.mjs'), ...args], {
      cwd: this.#folder,
      env: {
        PATH: join(this.#folder, 'bin'),
        SHOAL_SETUP_ROOT: this.#folder,
        CALLS: join(this.#folder, 'calls'),
        FOLDER: this.#folder,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: SET_UP_TIMEOUT_MS,
    });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output.stderr += text;
    });
    const ended = new Promise<ProcessResult>((done, fail) => {
      child.once('error', fail);
      child.once('close', (code) => done({ code, ...output }));
    });
    const said = (text: string) =>
      new Promise<void>((done, fail) => {
        const look = () => output.stderr.includes(text) && done();
        look();
        child.stderr.on('data', look);
        child.once('close', () => fail(new Error(`The set-up never said "${text}", but: ${output.stderr}`)));
      });
    return { ended, said };
  }
}

/** A lock file of one package, in npm's format. */
export function lockFile(version: string): string {
  const packages = { '': { name: 'clone' }, 'node_modules/left': { version, integrity: `sha512-${version}` } };
  return JSON.stringify({ lockfileVersion: 3, packages });
}

function programPath(name: string): string {
  if (name === 'node') return process.execPath;
  const path = ['/bin', '/usr/bin'].map((folder) => join(folder, name)).find(existsSync);
  if (path === undefined) throw new Error(`This test needs the program \`${name}\``);
  return path;
}
