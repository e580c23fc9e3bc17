import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import { type Clock, systemClock } from '../actors/mod.ts';
import { findByArgument } from './find-process.ts';
import { identify, isAlive, signalProcess, whenGone } from './identity.ts';
import { createLauncher, type Launcher } from './launcher.ts';
import type { ProcessExit, ProcessIdentity } from './spawner.ts';

let folder: string;
let launcher: Launcher;
let started: ProcessIdentity[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'launcher-'));
  launcher = createLauncher({ pollMs: 5 });
  started = [];
});

afterEach(async () => {
  await launcher.close();
  for (const identity of started) signalProcess(identity, 'SIGKILL');
  rmSync(folder, { recursive: true });
});

async function spawn(command: string, ...args: string[]): Promise<ProcessIdentity> {
  const identity = await launcher.spawn({ command, args, cwd: folder, stderrPath: join(folder, 'stderr') });
  started.push(identity);
  return identity;
}

function exitOf(identity: ProcessIdentity): Promise<ProcessExit> {
  return new Promise((resolve) => launcher.onExit(identity, resolve));
}

function killLauncher(): Promise<boolean> {
  const { pid } = launcher;
  if (pid === undefined) throw new Error('no launcher runs');
  process.kill(pid, 'SIGKILL');
  return new Promise((resolve) => {
    const look = (): void => {
      if (launcher.pid !== pid) resolve(true);
      else setImmediate(look);
    };
    look();
  });
}

describe('launcher', () => {
  it('starts a program in its folder, its output appended to a file, and tells how it ended', async () => {
    const identity = await spawn('/bin/sh', '-c', 'pwd; echo trouble >&2; exit 7');
    expect(await exitOf(identity)).toEqual({ exitCode: 7, signal: null });
    expect(readFileSync(join(folder, 'stderr'), 'utf8')).toBe(`${folder}\ntrouble\n`);
  });

  it('tells of an end that came before anybody asked', async () => {
    const early = await spawn('/bin/true');
    // The second one's end comes after the first one's, over the same channel.
    await whenGone(early, 5_000, systemClock);
    await exitOf(await spawn('/bin/true'));
    expect(await exitOf(early)).toEqual({ exitCode: 0, signal: null });
  });

  it('names the signal that ended a process', async () => {
    const identity = await spawn('/bin/sleep', '60');
    signalProcess(identity, 'SIGKILL');
    expect(await exitOf(identity)).toEqual({ exitCode: null, signal: 'SIGKILL' });
  });

  it('puts each program into a session of its own, with an environment that holds no secret of ours', async () => {
    process.env['SHOAL_TEST_SECRET'] = 'hunter2';
    const identity = await spawn('/bin/sleep', '60');
    delete process.env['SHOAL_TEST_SECRET'];
    const stat = readFileSync(`/proc/${identity.pid}/stat`, 'utf8');
    const session = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3];
    expect(session).toBe(String(identity.pid));
    expect(readFileSync(`/proc/${identity.pid}/environ`, 'utf8')).not.toContain('hunter2');
  });

  it('reports a program that does not exist with ENOENT', async () => {
    await expect(spawn('/nowhere/at/all')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(spawn('/bin/true')).resolves.toMatchObject({ bootId: expect.any(String) });
  });

  it('reports a file that may not be run with EACCES', async () => {
    await expect(spawn('/etc/passwd')).rejects.toMatchObject({ code: 'EACCES' });
  });

  it('looks at nothing any more once it is closed', async () => {
    const clock = new ManualClock();
    const closing = createLauncher({ clock });
    const self = identify(process.pid);
    if (self === undefined) throw new Error('it runs');
    closing.onExit(self, () => undefined);
    expect(clock.pending).toBe(1);
    await closing.close();
    expect(clock.pending).toBe(0);
  });

  it('outlives the signals of a terminal', async () => {
    await spawn('/bin/true');
    const { pid } = launcher;
    if (pid === undefined) throw new Error('no launcher runs');
    for (const signal of ['SIGINT', 'SIGHUP'] as const) process.kill(pid, signal);
    expect(await exitOf(await spawn('/bin/true'))).toMatchObject({ exitCode: 0 });
    expect(launcher.pid).toBe(pid);
  });

  it('leaves the processes running when it is closed', async () => {
    const identity = await spawn('/bin/sleep', '60');
    await launcher.close();
    expect(isAlive(identity)).toBe(true);
    await expect(spawn('/bin/true')).rejects.toMatchObject({ code: 'LAUNCHER_FAILED' });
  });

  it('after its death starts anew at the next spawn, and takes no child for dead', async () => {
    const identity = await spawn('/bin/sleep', '60');
    const exits: ProcessExit[] = [];
    launcher.onExit(identity, (exit) => exits.push(exit));
    await killLauncher();
    expect(isAlive(identity)).toBe(true);
    const second = await spawn('/bin/sh', '-c', 'exit 3');
    expect(await exitOf(second)).toEqual({ exitCode: 3, signal: null });
    expect(exits).toEqual([]);
  });

  it('notices by looking the end of a process whose launcher died', async () => {
    const identity = await spawn('/bin/sleep', '60');
    const exit = exitOf(identity);
    await killLauncher();
    signalProcess(identity, 'SIGKILL');
    expect(await exit).toEqual({ exitCode: null, signal: null });
  });

  it('gives up on a launcher that hangs, and goes on with another', async () => {
    await launcher.close();
    const limits: (() => void)[] = [];
    const clock: Clock = {
      ...systemClock,
      timer(_delayMs, callback) {
        limits.push(callback);
        return () => undefined;
      },
    };
    launcher = createLauncher({ clock });
    if (launcher.pid === undefined) throw new Error('no launcher runs');
    const hanging = identify(launcher.pid);
    if (hanging === undefined) throw new Error('it runs');
    process.kill(hanging.pid, 'SIGSTOP');
    const refused = expect(spawn('/bin/true')).rejects.toMatchObject({ code: 'LAUNCHER_FAILED' });
    for (const reached of limits) reached();
    await refused;
    await expect(spawn('/bin/true')).resolves.toBeDefined();
    // It must not obey later.
    expect(await whenGone(hanging, 30_000, systemClock)).toBe(true);
  });
});

/** As bwrap does: a child for the program, its pid on descriptor 3, and the end of the child as its own. */
const WRAPPER = '"$@" 3>&- & echo "{ \\"child-pid\\": $!" >&3; exec 3>&-; wait $!';

/** In a user namespace the limits are its own. */
function inNamespace(...args: string[]): string {
  return execFileSync('unshare', ['--user', '--map-root-user', ...args], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 30_000,
  });
}

const mayMakeNamespaces = spawnSync('unshare', ['--user', '--map-root-user', 'true']).status === 0;

describe('a program in a wrapper', () => {
  async function wrap(...args: string[]): Promise<ProcessIdentity> {
    const stderrPath = join(folder, 'stderr');
    const infoPath = join(folder, 'info');
    const wrapped = ['-c', WRAPPER, 'wrapper', ...args];
    const identity = await launcher.spawn({
      command: '/bin/sh',
      args: wrapped,
      cwd: folder,
      stderrPath,
      infoPath,
    });
    started.push(identity);
    return identity;
  }

  it('is the process that is told, and found by its arguments', async () => {
    // Nobody else's process has it: not one of another checkout, nor one that an earlier run has left.
    const mark = join(folder, 'mark');
    const identity = await wrap('sh', '-c', 'echo up >&2; kill -STOP $$', 'sh', mark);
    // pause: until it has taken the place of the copy of its wrapper
    while (!readFileSync(join(folder, 'stderr'), 'utf8').includes('up')) await new Promise(setImmediate);
    expect(findByArgument(mark)).toEqual(identity);
    signalProcess(identity, 'SIGKILL');
    expect(await exitOf(identity)).toEqual({ exitCode: null, signal: 'SIGKILL' });
  });

  it('ends with its own exit code', async () => {
    expect(await exitOf(await wrap('sh', '-c', 'exit 7'))).toEqual({ exitCode: 7, signal: null });
  });

  it('is watched further when somebody kills the wrapper', async () => {
    const identity = await wrap('sleep', '600');
    const stat = readFileSync(`/proc/${identity.pid}/stat`, 'latin1');
    const exit = exitOf(identity);
    const wrapper = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    process.kill(wrapper, 'SIGKILL');
    // Until the launcher has seen the wrapper's end, and once more: it has told of that then.
    for (let looks = 0; existsSync(`/proc/${wrapper}`) && looks < 1_000; looks += 1)
      await exitOf(await spawn('/bin/true'));
    await exitOf(await spawn('/bin/true'));
    expect(isAlive(identity)).toBe(true);
    signalProcess(identity, 'SIGKILL');
    expect(await exit).toEqual({ exitCode: null, signal: null });
  });

  it('has an end of which nobody knows more if its wrapper is killed, too', async () => {
    const infoPath = join(folder, 'info');
    const args = ['-c', `${WRAPPER}; kill -KILL $$`, 'wrapper', 'sleep', '600'];
    const identity = await launcher.spawn({
      ...{ command: '/bin/sh', args, cwd: folder },
      ...{ stderrPath: join(folder, 'stderr'), infoPath },
    });
    started.push(identity);
    signalProcess(identity, 'SIGTERM');
    expect(await exitOf(identity)).toEqual({ exitCode: null, signal: null });
  });

  it.skipIf(!mayMakeNamespaces)(
    'is told where nothing can be watched, since other programs have taken all that there is',
    () => {
      const { href } = new URL('./launcher.ts', import.meta.url);
      const script = `
      const { createLauncher } = await import(${JSON.stringify(href)});
      const launcher = createLauncher();
      // A launcher keeps nobody alive.
      const alive = setInterval(() => undefined, 1_000);
      const args = ['-c', ${JSON.stringify(WRAPPER)}, 'wrapper', 'sh', '-c', 'exit 7'];
      const request = { command: '/bin/sh', args, cwd: '.', stderrPath: 'stderr', infoPath: 'info' };
      const identity = await launcher.spawn(request);
      launcher.onExit(identity, ({ exitCode }) => {
        console.log('ended with', exitCode);
        clearInterval(alive);
        void launcher.close();
      });`;
      const run = 'echo 0 > /proc/sys/user/max_inotify_instances && exec "$0" --input-type=module -e "$1"';
      const output = inNamespace('sh', '-c', run, process.execPath, script);
      expect(output).toBe('ended with 7\n');
    },
  );

  it('leaves nothing open in the launcher, and files that no other user may read', async () => {
    const opened = (): readonly string[] => {
      const place = `/proc/${launcher.pid}/fdinfo`;
      // A line for each file that is watched, besides those of each descriptor.
      return readdirSync(place).flatMap((fd) => [
        fd,
        ...(readFileSync(join(place, fd), 'latin1').match(/^inotify /gm) ?? []),
      ]);
    };
    await exitOf(await wrap('true'));
    const before = opened().length;
    for (let n = 0; n < 5; n++) await exitOf(await wrap('true'));
    expect(opened()).toHaveLength(before);
    for (const name of ['stderr', 'info']) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  });

  it('that cannot be started ends as the wrapper does', async () => {
    const stderrPath = join(folder, 'stderr');
    const infoPath = join(folder, 'info');
    const args = ['-c', 'echo no >&2; exit 1'];
    const identity = await launcher.spawn({ command: '/bin/sh', args, cwd: folder, stderrPath, infoPath });
    expect(await exitOf(identity)).toEqual({ exitCode: 1, signal: null });
    expect(readFileSync(stderrPath, 'utf8')).toBe('no\n');
  });
});
