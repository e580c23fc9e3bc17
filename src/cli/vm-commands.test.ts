import { expect, test } from 'vitest';
import { VMS_MAX } from '../fleet/mod.ts';
import { parse } from './parse.ts';
import { scaleCommand } from './vm-commands.ts';

test('scale takes as many VMs as min_vm_count does', async () => {
  const scale = async (vms: number): Promise<unknown> =>
    scaleCommand.run(parse(scaleCommand, [String(vms), '--data', '/nowhere']));
  await expect(scale(VMS_MAX + 1)).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining(`from 0 to ${VMS_MAX}`),
  });
  // Its fault is that no Shoal is there.
  await expect(scale(VMS_MAX)).rejects.not.toMatchObject({ code: 'USAGE' });
});
