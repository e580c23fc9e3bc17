import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestFleet } from './driver/fleet.ts';
import { shoal } from './driver/shoal-process.ts';
import { Terminal, type TerminalOptions } from './driver/terminal.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** The terminal as a command that never drew on it would leave it. */
const SANE = { sameSettings: true, alternateScreen: false, cursorShown: true };

const ESCAPE = '\u001b';

const vmRows = (count: number): RegExp => new RegExp(`(\\n│ *\\d+ +ready +127\\.[^\\n]*){${count}}`);

describe('on a terminal', () => {
  let fleet: TestFleet;
  beforeAll(async () => {
    fleet = await TestFleet.start();
  });
  afterAll(() => fleet?.stop());

  const top = async (options?: TerminalOptions): Promise<Terminal> => {
    const terminal = await Terminal.open(options);
    await terminal.shoal('top', '--data', fleet.data);
    await terminal.shows('a VM', vmRows(1));
    return terminal;
  };

  test('top shows the fleet, what happens in it, and a VM that is added', async () => {
    const terminal = await top();
    await terminal.shows('who it is', /^ Shoal default {2}nats:\/\/127\.0\.0\.1:\d+ +1 host {2}up \d/);
    await terminal.shows('what happened', /VM 1 is ready at 127\./);
    await fleet.run('scale', ['2']);
    await terminal.shows('two VMs', vmRows(2));
    await terminal.shows('how the second came', /VM 2 is ready at 127\./);
    await terminal.keys('q');
    expect(await terminal.left()).toEqual({ exitCode: 0, ...SANE });
    // What stood there before stands there again.
    expect((await terminal.screen()).join('\n')).toMatch(/stty -g/);
  });

  test('it draws itself anew at each size, and says so if one is too small', async () => {
    const terminal = await top();
    await terminal.resize(200, 50);
    // The last line is drawn last.
    const large = await terminal.shows(
      'charts, and the last line',
      /requests\/s .*in flight .*waiting .*mean CPU[\s\S]*\n q quit/,
    );
    expect(large.split('\n').filter((line) => line.length === 200).length).toBeGreaterThan(40);
    await terminal.resize(30, 5);
    await terminal.shows('one line', /^30x5 is too small: 40x8 at l[^\n]{0,10}\s*$/);
    await terminal.resize(60, 16);
    expect(await terminal.shows('the VMs again', vmRows(1))).not.toContain('too small');
    await terminal.keys('C-c');
    expect(await terminal.left()).toEqual({ exitCode: 0, ...SANE });
  });

  test('keys open help, a VM in detail and its log, sort, and pause', async () => {
    const terminal = await top();
    await terminal.keys('?');
    await terminal.shows('the help', /┌ Help {2}Esc closes[\s\S]*Enter +all about the chosen VM/);
    await terminal.keys('Escape');
    await terminal.keys('Down', 'Enter');
    await terminal.shows('what inspect says', /┌ VM 1 [\s\S]*image_digest +[0-9a-f]{16}/);
    await terminal.keys('l');
    await terminal.shows('the log', /┌ Log of VM 1 /);
    await terminal.keys('l', 's');
    await terminal.shows('the other order', /by state/);
    await terminal.keys('p');
    await terminal.shows('that it is paused', /^ Shoal default .* paused /);
    await terminal.keys('p');
    await terminal.keys('q');
    expect(await terminal.left()).toEqual({ exitCode: 0, ...SANE });
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('%s gives the terminal back', async (signal) => {
    const terminal = await top();
    terminal.signal(signal);
    expect(await terminal.left()).toEqual({ exitCode: 0, ...SANE });
  });

  test('colours are for those who want them', async () => {
    const colour = new RegExp(`${ESCAPE}\\[(?:\\d+;)*(?:3[0-8]|4[0-8]|9\\d)`);
    expect(await (await top()).colours()).toMatch(colour);
    expect(await (await top({ env: { NO_COLOR: '1' } })).colours()).not.toMatch(colour);
  });

  test('without a terminal it is refused, with what there is instead; one frame works in a pipe', async () => {
    const refused = await fleet.run('top');
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
    expect(refused.stderr).toMatch(/top needs a terminal.*shoal ps.*shoal events/);
    const { stdout, exitCode } = await fleet.run('top', ['--once']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^ Shoal default[\s\S]* VM +STATE[\s\S]*\n +1 +ready +127\.[\s\S]*VM 1 is ready at/);
    expect(stdout).not.toContain(ESCAPE);
  });
});

test('a server that is killed is a connection lost, and one that comes back is shown again', async () => {
  const fleet = await TestFleet.start();
  const terminal = await Terminal.open();
  await terminal.shoal('top', '--data', fleet.data);
  await terminal.shows('a VM', vmRows(1));
  await fleet.kill();
  await terminal.shows('the loss', /\n connection lost, retrying: /);
  await terminal.keys('?');
  await terminal.shows('that it still obeys', /┌ Help /);
  await terminal.keys('Escape');
  await using again = await fleet.resume();
  await terminal.shows('that the VM was adopted', /\n \d+\/\d+ addresses free[\s\S]*VM 1 is adopted/);
  await terminal.shows('the VM', vmRows(1));
  expect(again.ready.vms).toMatchObject([{ id_vmachine: 1 }]);
  await terminal.keys('q');
  expect(await terminal.left()).toEqual({ exitCode: 0, ...SANE });
});

test('no fleet is an error on an untouched terminal', async () => {
  const terminal = await Terminal.open();
  await terminal.shoal('top', '--data', '/nowhere/at/all');
  expect(await terminal.left()).toEqual({ exitCode: 1, ...SANE });
  await terminal.shows('the reason', /No Shoal runs on the data directory/);
});

test('other commands do not pay for what draws on a terminal', () => {
  const script = `
    await import('./src/cli/commands.ts');
    const { createRequire } = await import('node:module');
    console.log(Object.keys(createRequire(import.meta.url).cache).filter((file) => file.includes('blessed')).length);`;
  const args = ['--input-type=module', '-e', script];
  expect(execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' }).trim()).toBe('0');
});

test('the help has examples', async () => {
  const { stdout } = await shoal(['top', '--help']);
  expect(stdout).toMatch(/Usage: shoal top \[flags\]\n[\s\S]*Examples:[\s\S]*shoal top --once/);
});
