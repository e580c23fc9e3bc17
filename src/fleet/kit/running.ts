import { FakeFleet, type FakeFleetOptions } from './fake-fleet.ts';

/** A fleet in which VM 1 is ready and has reported, and no VM is ever surplus. */
export async function running(options: FakeFleetOptions = {}): Promise<FakeFleet> {
  const fleet = new FakeFleet({ ...options, params: { min_vm_count: 1, free_count: 1_000, ...options.params } });
  await fleet.settle();
  fleet.report(1);
  await fleet.settle();
  return fleet;
}
