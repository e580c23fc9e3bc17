import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestFleet } from './driver/fleet.ts';

let fleet: TestFleet;
beforeAll(async () => {
  fleet = await TestFleet.start({ addresses: 2 });
});
afterAll(() => fleet?.stop());

test('a VM is explained by all that was decided about it, with rules and figures, also when it has gone', async () => {
  await fleet.run('drain', ['1']);
  await fleet.until('another has taken its place', ({ vms }) =>
    vms.every((vm) => vm.id_vmachine !== 1 && vm.state === 'ready'),
  );
  const { stdout, exitCode } = await fleet.run('explain', ['vm', '1']);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/VM 1 is started at .* \(R1\)\n +on running 0, min_vm_count 1\n/);
  expect(stdout).toMatch(/VM 1 is drained.*\(command\)\n/);
  expect(stdout).toMatch(/VM 1 is gone/);
  expect(stdout).toContain('R1 First VM: `shoal explain R1`');
  expect(stdout).toContain('command: an administrator asked for it');
  expect(stdout).not.toContain('VM 2');
});

test('a VM of which nothing is known is said to be so', async () => {
  expect(await fleet.run('explain', ['vm', '77'])).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: expect.stringMatching(/VM 77.*\[VM_UNKNOWN\]/),
  });
});

test.each([
  [[], /nothing to explain.*\[USAGE\]/],
  [['R99'], /"R99" is no rule, error code or parameter.*\[USAGE\]/],
  [['deadline'], /there are REQUEST_DEADLINE, deadline_ms/],
  [['R5', 'R6'], /unexpected argument "R6"/],
  [['vm'], /number of a VM/],
])('explain %j is refused with what there is', async (args, message) => {
  expect(await fleet.run('explain', args)).toMatchObject({
    exitCode: 2,
    stdout: '',
    stderr: expect.stringMatching(message),
  });
});
