/** What a VM gets of scarce CPUs where they are shared out by sessions. By control groups: `qemu/cgroup.test.ts`. */
import { describe, expect, it } from 'vitest';
import { lowNiceness, nicenessOf } from './kit/mod.ts';
import { realHypervisor, started } from './testing/mod.ts';

describe('the CPU share of a VM', () => {
  it.each(['user', 'none'] as const)('is a sixth while it gives way, under network %s', async (network) => {
    await using real = await realHypervisor();
    const spec = await real.spec({ network });
    const { pid } = (await started(real, spec)).machine.process;
    const usual = nicenessOf(pid);
    real.hypervisor.giveWay?.(spec.vm, true);
    expect(nicenessOf(pid)).toBe(lowNiceness());
    real.hypervisor.giveWay?.(spec.vm, false);
    expect(nicenessOf(pid)).toBe(usual);
  });

  it('is the usual one again for whoever adopts the VM', async () => {
    await using real = await realHypervisor();
    const spec = await real.spec({});
    const { machine } = await started(real, spec);
    const usual = nicenessOf(machine.process.pid);
    real.hypervisor.giveWay?.(spec.vm, true);
    await machine.release();
    await real.again().adopt(machine.manifest);
    expect(nicenessOf(machine.process.pid)).toBe(usual);
  });

  it('is changed for nobody if there is no such VM', async () => {
    await using real = await realHypervisor();
    const before = nicenessOf(process.pid);
    real.hypervisor.giveWay?.(999, true);
    expect(nicenessOf(process.pid)).toBe(before);
  });
});
