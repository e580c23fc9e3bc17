import { expect, test } from 'vitest';
import { imageCommand } from './image.ts';
import { parse } from './parse.ts';

test.each([
  ['check a.elf --canary 3', '--canary does nothing with `shoal image check`'],
  ['check a.elf --host b', '--host does nothing with `shoal image check`'],
  ['deploy a.elf --accel kvm', '--accel does nothing with `shoal image deploy`'],
  ['status --wait', '--wait does nothing with `shoal image status`'],
  ['status --timeout 5', '--timeout does nothing with `shoal image status`'],
  ['rollback --profile linux', '--profile does nothing with `shoal image rollback`'],
  ['rollback --profile-set memoryMib=32', '--profile-set does nothing with `shoal image rollback`'],
  ['profile linux --canary-time 1', '--canary-time does nothing with `shoal image profile`'],
  ['a.elf --accel tcg', '--accel does nothing with `shoal image` without'],
  ['--wait', '--wait does nothing with `shoal image` without'],
  ['status a.elf', 'status takes no argument, got "a.elf"'],
  ['rollback a.elf', 'rollback takes no argument, got "a.elf"'],
  ['deploy', 'give the file to deploy'],
  ['a.elf b.elf', 'expected check, profile, deploy, rollback, status or one file, got "a.elf"'],
])('`shoal image %s` is refused with its reason, before anything is done', async (line, why) => {
  const run = async (): Promise<number> => imageCommand.run(parse(imageCommand, line.split(' ')));
  await expect(run()).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining(why) });
});
