import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { willEnd } from '../../test/driver/end-left.ts';
import { eventually, randomPool, TestFleet, temporaryFolder } from '../../test/driver/fleet.ts';
import { shoal } from '../../test/driver/shoal-process.ts';
import { Terminal, type TerminalOptions } from '../../test/driver/terminal.ts';
import { type StubFleet, stubFleet } from '../console/kit/mod.ts';

const SHOAL = join(import.meta.dirname, '..', '..', 'bin', 'shoal');
const SANE = { sameSettings: true, alternateScreen: false, cursorShown: true };
const VM_ROW = /\n│ *1 +ready +127\./;

async function servedFleet(handlers: Parameters<typeof stubFleet>[0] = {}): Promise<StubFleet> {
  const fleet = await stubFleet(handlers);
  onTestFinished(() => fleet[Symbol.asyncDispose]());
  return fleet;
}

/** `top` on a terminal, as the only program on it. */
async function top(options?: TerminalOptions): Promise<Terminal> {
  const fleet = await servedFleet();
  const terminal = await Terminal.open(options);
  await terminal.shoal('top', ...fleet.flags);
  await terminal.shows('a VM', VM_ROW);
  return terminal;
}

/** A shell with job control on a terminal. */
async function jobControl(): Promise<Terminal> {
  const terminal = await Terminal.open({ width: 120 });
  await terminal.run('bash', '--norc', '-i');
  await terminal.shows('the prompt', /^bash-[\d.]+[#$] ?$/m);
  return terminal;
}

/** The process whose command line has all that, once there is one. */
function processOf(...words: readonly string[]): Promise<number> {
  const pattern = words.join(' ').replaceAll('--', '\\-\\-');
  return eventually(`${pattern} runs`, () => {
    try {
      const [pid] = execFileSync('pgrep', ['-f', `main.ts ${pattern}`], { encoding: 'utf8' }).split('\n');
      return pid === undefined ? undefined : Number(pid);
    } catch {
      return undefined;
    }
  });
}

/** `top` in a shell with job control, stopped as nobody can catch. */
async function stoppedTop(fleet: StubFleet): Promise<{ readonly terminal: Terminal; readonly pid: number }> {
  const terminal = await jobControl();
  await terminal.keys(`'${SHOAL}' top ${fleet.flags.join(' ')}`, 'Enter');
  await terminal.shows('a VM', VM_ROW);
  const pid = await processOf('top', ...fleet.flags);
  process.kill(pid, 'SIGSTOP');
  await terminal.shows('the shell', /Stopped/);
  return { terminal, pid };
}

function stateOf(pid: number): string {
  return /^State:\s*(\S)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';
}

describe('top', () => {
  test('is suspended by Ctrl-Z with the terminal as the shell needs it, and comes back with fg', async () => {
    const fleet = await servedFleet();
    const terminal = await jobControl();
    await terminal.keys(`'${SHOAL}' top ${fleet.flags.join(' ')}`, 'Enter');
    await terminal.shows('a VM', VM_ROW);
    for (const _ of [1, 2]) {
      await terminal.keys('C-z');
      await terminal.shows('the shell', /Stopped[\s\S]*\nbash-[\d.]+[#$] ?$/m);
      await terminal.keys('echo "what is typed" is $((40 + 2))', 'Enter');
      await terminal.shows('that it echoes', /[#$] echo "what is typed" is[^\n]*\nwhat is typed is 42/);
      await terminal.keys('clear; fg', 'Enter');
      await terminal.shows('a VM again', VM_ROW);
    }
    await terminal.keys('?');
    await terminal.shows('that keys work', /┌ Help [\s\S]*Ctrl-Z +suspend/);
    await terminal.keys('q');
    await terminal.shows('the shell', /^bash-[\d.]+[#$] ?$/m);
    await terminal.keys('exit', 'Enter');
    expect(await terminal.left()).toEqual({ exitCode: 0, ...SANE });
  });

  test('that was stopped as nobody can catch draws itself anew, and in the background leaves the terminal alone', async () => {
    const fleet = await servedFleet();
    const { terminal } = await stoppedTop(fleet);
    await terminal.keys('reset; bg', 'Enter');
    await terminal.keys('echo background $((40 + 2))', 'Enter');
    await terminal.shows('the shell still', /background 42/);
    // An event would have it draw itself.
    fleet.publish({ atMs: Date.now(), kind: 'vm-ready', text: 'something happened' });
    await terminal.keys('fg', 'Enter');
    await terminal.shows('a VM again', VM_ROW);
    await terminal.shows('what happened', /something happened/);
    await terminal.keys('q');
    await terminal.shows('the shell', /^bash-[\d.]+[#$] ?$/m);
    await terminal.keys('exit', 'Enter');
    expect(await terminal.left()).toMatchObject({ exitCode: 0, alternateScreen: false, cursorShown: true });
  });

  test('in the background is refused', async () => {
    const fleet = await servedFleet();
    const terminal = await jobControl();
    await terminal.keys(`'${SHOAL}' top ${fleet.flags.join(' ')} &`, 'Enter');
    await terminal.shows('the refusal', /top needs a terminal to draw on, in the foreground/);
    await terminal.keys('exit', 'Enter');
    expect(await terminal.left()).toMatchObject(SANE);
  });

  test('reads no keys in the background after a stop that nobody can catch', async () => {
    let asked = 0;
    const fleet: StubFleet = await servedFleet({
      ps: () => {
        asked += 1;
        return Promise.resolve(fleet.snapshot);
      },
    });
    const { terminal, pid } = await stoppedTop(fleet);
    const before = asked;
    await terminal.keys('reset; bg', 'Enter');
    // By the second question after it goes on it has noticed that it does.
    await eventually('it goes on', () => (asked >= before + 2 ? true : undefined));
    for (let key = 1; key <= 20; key++) await terminal.keys(`echo key $((${key} + 100))`, 'Enter');
    await terminal.shows('the last key', /key 120/);
    expect(stateOf(pid)).not.toBe('T');
    await terminal.keys('kill %1; wait; exit', 'Enter');
    await terminal.left();
  });

  test('takes no pasted text for keys', async () => {
    const terminal = await top();
    await terminal.keys('-l', '\u001b[200~q?\nq\u001b[201~s');
    await terminal.shows('what the key did', /by state/);
    await terminal.keys('q');
    expect(await terminal.left()).toEqual({ exitCode: 0, ...SANE });
  });

  test('ends when its terminal has gone, though the hang-up is ignored', async () => {
    const fleet = await servedFleet();
    const terminal = await Terminal.open();
    await terminal.run('sh', '-c', 'trap "" HUP; exec "$0" "$@"', SHOAL, 'top', ...fleet.flags);
    await terminal.shows('a VM', VM_ROW);
    const pid = await processOf('top', ...fleet.flags);
    await terminal.close();
    await eventually('it ended', () => {
      try {
        return stateOf(pid) === 'Z' ? true : undefined;
      } catch {
        return true;
      }
    });
  });

  test.each(['screen.xterm-256color', 'tmux-256color', 'xterm', 'linux', 'nonsense'])(
    'draws itself, and nothing else, where TERM is %s',
    async (term) => {
      const fleet = await servedFleet();
      const terminal = await Terminal.open();
      await terminal.run('env', `TERM=${term}`, SHOAL, 'top', ...fleet.flags);
      expect(await terminal.shows('a VM', VM_ROW)).not.toMatch(/Error on|return /);
      await terminal.keys('q');
      expect(await terminal.left()).toMatchObject({ exitCode: 0, sameSettings: true, cursorShown: true });
      expect((await terminal.screen()).join('\n')).not.toMatch(/Error on|return /);
    },
  );
});

describe('up', () => {
  test('in the background prints lines, and is not stopped', async () => {
    const [data, pool] = [temporaryFolder(), randomPool(2)];
    willEnd({ data, pool });
    const terminal = await jobControl();
    await terminal.keys(`'${SHOAL}' up --data ${data} --pool ${pool} &`, 'Enter');
    await terminal.shows('that it is ready', /Ready: "Hello from a unikernel" went to VM 1/);
    const pid = await processOf('up', '--data', data);
    expect(await shoal(['send', '--data', data, 'x'])).toMatchObject({ stdout: 'X\n' });
    expect(stateOf(pid)).not.toBe('T');
    expect(await shoal(['down', '--data', data])).toMatchObject({ exitCode: 0 });
    await terminal.keys('exit', 'Enter');
    expect(await terminal.left()).toMatchObject(SANE);
  });

  test('in the background leaves the settings of the terminal as they are when it exits', async () => {
    const fleet = await servedFleet();
    fleet.events.push({ atMs: Date.now(), kind: 'vm-ready', text: 'something happened' });
    const terminal = await jobControl();
    await terminal.keys(`stty echok; '${SHOAL}' events --follow ${fleet.flags.join(' ')} &`, 'Enter');
    await terminal.shows('that it follows', /something happened/);
    await terminal.keys("stty -echok; kill %1; wait; stty -a | grep -oe '-\\?echok' | sed 's/^/now: /'", 'Enter');
    await terminal.shows('that it is gone', /(Terminated|Done|Exit)[^\n]*events/);
    expect((await terminal.screen()).join('\n')).toMatch(/^now: -echok$/m);
    await terminal.keys('exit', 'Enter');
    await terminal.left();
  });

  test('outlives a hang-up that its parent ignores, as with nohup', async () => {
    const before = ['-c', 'trap "" HUP; exec "$0" "$@"', SHOAL];
    await using fleet = await TestFleet.start({ addresses: 2, command: 'sh', before });
    fleet.up.signal('SIGHUP');
    expect(await fleet.run('send', ['x'])).toMatchObject({ stdout: 'X\n' });
    expect(await fleet.stop('SIGTERM')).toMatchObject({ exitCode: 0 });
  });
});
