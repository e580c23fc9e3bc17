import { askFleet } from '../src/app/mod.ts';
import type { TestFleet } from '../test/driver/fleet.ts';

export async function qemuPids(fleet: TestFleet): Promise<number[]> {
  const where = { servers: fleet.ready.nats, fleet: fleet.ready.fleet };
  const { vms } = await fleet.snapshot();
  const known = vms.map((vm) => askFleet<{ pid: number }>(where, 'inspect', { vm: vm.id_vmachine }));
  return (await Promise.all(known)).map(({ pid }) => pid);
}
