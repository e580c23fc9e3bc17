import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { willEnd } from '../driver/end-left.ts';
import { randomPool, temporaryFolder } from '../driver/fleet.ts';
import { ShoalProcess } from '../driver/shoal-process.ts';
import { stepsOf, withoutFigures } from './console-block.ts';
import { type Block, Page } from './page.ts';

const run = promisify(execFile);
const STEP_MS_MAX = 60_000;
/** The folder of the page. */
const PLACE = '/srv';

const page = Page.read('docs/typescript-services.md');

/** Goes through the page as a reader does, with two terminals and an editor. */
class Reader {
  readonly #home = temporaryFolder();
  readonly #data = temporaryFolder();
  readonly #pool = randomPool(3);
  #folder = this.#home;
  #up: ShoalProcess | undefined;
  /** How much of the output of `up` was looked at. */
  #read = 0;

  constructor() {
    willEnd({ data: this.#data, pool: this.#pool });
    mkdirSync(join(this.#home, 'bin'));
    symlinkSync(resolve('bin/shoal'), join(this.#home, 'bin', 'shoal'));
    onTestFinished(() => rmSync(this.#home, { recursive: true, force: true }));
  }

  async follow({ info, text }: Block): Promise<void> {
    if (info === 'ts') return this.#save(text);
    if (info === 'text') return this.#see(text);
    for (const { command, output } of stepsOf(text)) {
      if (command.startsWith('cd ')) this.#folder = join(this.#folder, command.slice(3));
      else if (command.startsWith('shoal up ')) await this.#start(command, output);
      else await this.#type(command, output);
    }
  }

  async end(): Promise<void> {
    this.#up?.signal('SIGINT');
    expect(await this.#up?.finished).toMatchObject({ exitCode: 0 });
  }

  async #type(command: string, output: string): Promise<void> {
    const env = { ...process.env, SHOAL_DATA: this.#data, PATH: `${join(this.#home, 'bin')}:${process.env['PATH']}` };
    const printed = await run('bash', ['-c', command], { env, cwd: this.#folder, timeout: STEP_MS_MAX }).catch(
      // A documented command may fail: `execFile` then rejects with its output.
      (error: { stdout: string; stderr: string }) => error,
    );
    expect(`${command}\n${this.#plain(printed.stdout + printed.stderr)}`).toBe(`${command}\n${this.#plain(output)}`);
  }

  async #start(command: string, output: string): Promise<void> {
    const args = [...command.split(' ').slice(1), '--data', this.#data, '--pool', this.#pool];
    this.#up = new ShoalProcess(args, { cwd: this.#folder });
    await this.#see(output);
  }

  #save(text: string): void {
    const name = /^\/\/ (\S+)\n/.exec(text)?.[1] ?? expect.unreachable('the file says its name');
    writeFileSync(join(this.#folder, name), text);
  }

  /** Waits until `up` has printed these lines, one after the other. `...` stands for any. */
  async #see(text: string): Promise<void> {
    const up = this.#up ?? expect.unreachable('a Shoal runs');
    for (const line of text.trim().split('\n')) {
      if (line === '...') continue;
      await up.stderrHas({ test: () => this.#take(up.stderr, this.#plain(line)) });
    }
  }

  #take(printed: string, wanted: string): boolean {
    const rest = printed.slice(this.#read);
    let at = 0;
    for (const line of rest.split('\n').slice(0, -1)) {
      at += line.length + 1;
      if (this.#plain(line) !== wanted) continue;
      this.#read += at;
      return true;
    }
    return false;
  }

  #plain(text: string): string {
    return withoutFigures(text.replaceAll(this.#home, PLACE), hostname());
  }
}

test('the guide to services in TypeScript, word by word', async () => {
  const blocks = page.blocks.filter(({ mark }) => mark === 'guide');
  expect(blocks.length).toBeGreaterThan(8);
  const reader = new Reader();
  for (const block of blocks) await reader.follow(block);
  await reader.end();
});

test("the README's service is one", async () => {
  const home = temporaryFolder();
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const [service, ...others] = Page.read('README.md').blocks.filter(({ text }) => text.includes('export default'));
  expect(others).toEqual([]);
  writeFileSync(join(home, 'hello.ts'), service?.text ?? '');
  const { stdout } = await run(resolve('bin/shoal'), ['service', 'test', 'hello.ts', '--text', 'hällo'], { cwd: home });
  expect(stdout.trim()).toBe('HÄLLO');
});

test('the guide shows the files of a new service as they are', async () => {
  const home = temporaryFolder();
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  await run(resolve('bin/shoal'), ['service', 'new', 'hello'], { cwd: home });
  const shown = page.blocks.filter(({ mark }) => mark === 'template').map(({ text }) => text.trim());
  const files = ['hello.ts', 'hello.test.ts'].map((name) => readFileSync(join(home, 'hello', name), 'utf8').trim());
  expect(shown).toEqual(files);
  const { stdout } = await run(resolve('bin/shoal'), ['service', 'test', 'hello/hello.ts'], { cwd: home });
  expect(stdout).toMatch(/pass 2\n(?:.*\n)*.*fail 0\n/);
});
