import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { EVERYTHING, FakeMachine, without } from './fixture.ts';

const APT_INSTALL = 'apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends';

/** An apt-get that brings the virtual machine's program and the message server, and says what policy-rc.d says. */
const WORKING_APT = `
  if [ "$1" = update ]; then exit 0; fi
  "$FOLDER/usr/sbin/policy-rc.d"; echo "policy $?" >> "$CALLS"
  for program in qemu-system-x86_64 nats-server; do
    echo '#!/bin/sh' > "$FOLDER/usr/sbin/$program"; chmod +x "$FOLDER/usr/sbin/$program"
  done`;

const TWO_MISSING = without(EVERYTHING, 'qemu-system-x86_64', 'nats-server');

describe('as root, with programs missing', () => {
  test('apt-get installs their packages, and the next run calls it no more', async () => {
    const machine = new FakeMachine({ ...TWO_MISSING, 'apt-get': WORKING_APT });

    expect(await machine.setUp()).toMatchObject({ code: 0 });
    expect(machine.calls().slice(0, 3)).toEqual([
      'id -u',
      'apt-get update',
      `${APT_INSTALL} qemu-system-x86 nats-server`,
    ]);

    const before = machine.calls();
    expect(await machine.setUp()).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(machine.calls()).toEqual(before);
  });

  test('what only tests need is not installed for whoever only wants to run Shoal', async () => {
    const machine = new FakeMachine(without(EVERYTHING, 'tmux'));

    expect(await machine.setUp('--only', 'system,npm,image')).toMatchObject({ code: 0 });
    expect(machine.calls().filter((call) => call.startsWith('apt-get'))).toEqual([]);
    await machine.setUp();
    expect(machine.calls()).toContain(`${APT_INSTALL} tmux`);
  });

  test('no server is started meanwhile or enabled for the next boot', async () => {
    const machine = new FakeMachine({ ...TWO_MISSING, 'apt-get': WORKING_APT });

    await machine.setUp();

    expect(machine.calls()).toContain('policy 101');
    expect(machine.calls()).toContain('systemctl disable nats-server.service');
    expect(existsSync(machine.systemFile('usr/sbin/policy-rc.d'))).toBe(false);
  });

  test("the machine's own policy about servers stays as it is", async () => {
    const machine = new FakeMachine({ ...TWO_MISSING, 'apt-get': WORKING_APT });
    const policy = machine.systemFile('usr/sbin/policy-rc.d');
    writeFileSync(policy, '#!/bin/sh\nexit 0\n', { mode: 0o755 });

    await machine.setUp();

    expect(machine.calls()).toContain('policy 0');
    expect(readFileSync(policy, 'utf8')).toBe('#!/bin/sh\nexit 0\n');
  });

  test('a failing apt-get ends the set-up, which shows what it said and where the rest is', async () => {
    const machine = new FakeMachine({
      ...TWO_MISSING,
      'apt-get': '[ "$1" = update ] && exit 0; echo "E: Unable to locate package qemu-system-x86"; exit 100',
    });

    const { code, stderr } = await machine.setUp();

    expect(code).toBe(1);
    expect(stderr).toContain('failed (exit 100)');
    expect(stderr).toContain('E: Unable to locate package qemu-system-x86');
    expect(stderr).toContain('.setup/apt-install.log');
    expect(machine.calls().filter((call) => call.startsWith('npm'))).toEqual([]);
  });

  test('package lists that cannot be read are no reason to stop', async () => {
    const machine = new FakeMachine({
      ...TWO_MISSING,
      'apt-get': `[ "$1" = update ] && { echo "Err: a mirror is down"; exit 100; }\n${WORKING_APT}`,
    });

    const { code, stderr } = await machine.setUp();

    expect(code).toBe(0);
    expect(stderr).toContain('Err: a mirror is down');
  });

  test('a package that does not bring its program is reported', async () => {
    const machine = new FakeMachine(without(EVERYTHING, 'xz'));

    expect(await machine.setUp()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('apt-get installed xz-utils, but there is still no xz'),
    });
  });
});

describe('with programs missing that the set-up cannot install', () => {
  test('which Shoal can do without: it goes on, and without a word', async () => {
    const machine = new FakeMachine({ ...without(EVERYTHING, 'bwrap'), id: 'echo 1000' });

    expect(await machine.setUp('--only', 'system')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('without the rights to it: one message with everything that is missing and the command', async () => {
    const machine = new FakeMachine({ ...TWO_MISSING, id: 'echo 1000', sudo: ':' });

    const { code, stdout, stderr } = await machine.setUp();

    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain('These programs are missing: qemu-system-x86_64, nats-server.');
    expect(stderr).toContain(
      "  sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends qemu-system-x86 nats-server'\n",
    );
    expect(stderr.match(/^setup:/gm)).toHaveLength(1);
    expect(machine.calls()).toEqual(['id -u']);
  });

  test('without sudo either: the command says su', async () => {
    const machine = new FakeMachine({ ...TWO_MISSING, id: 'echo 1000' });

    expect((await machine.setUp()).stderr).toContain("  su -c 'apt-get update");
  });

  test('without apt-get: the message names the programs', async () => {
    const machine = new FakeMachine(without(EVERYTHING, 'gcc', 'apt-get'));

    const { code, stderr } = await machine.setUp();

    expect(code).toBe(1);
    expect(stderr).toContain('These programs are missing: gcc.');
    expect(stderr).toContain('no apt-get here');
  });
});
