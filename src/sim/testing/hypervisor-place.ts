import type { HypervisorPlace } from '../../hypervisor/kit/mod.ts';
import { type Hypervisor, MEMORY_MIB } from '../../hypervisor/mod.ts';
import { DEFAULT_SCENARIO } from '../defaults.ts';
import { simulatedHypervisor } from '../hypervisor.ts';
import { FIRST_IMAGE, IMAGE_PATH } from '../images.ts';
import { MachineRoom } from '../machine-room.ts';
import { SimulatedProcess } from '../process.ts';
import { Chance } from '../random.ts';
import { VirtualTime } from '../virtual-time.ts';

/** Far beyond what any point takes. */
const LIMIT_MS = 60_000;

/**
 * Has a point hold on a simulated host of its own, and its time pass until it does.
 * @param change what becomes of the adapter: what a test of the points breaks
 */
export async function onSimulatedHost(
  holds: (place: HypervisorPlace) => Promise<void>,
  seed: number,
  change: (hypervisor: Hypervisor, room: MachineRoom) => Hypervisor = (hypervisor) => hypervisor,
): Promise<void> {
  const time = new VirtualTime();
  const chance = new Chance(seed);
  const nothing = (): void => undefined;
  const { guest, host, memoryBytes } = DEFAULT_SCENARIO;
  const room = new MachineRoom({
    ...{ time, chance, memoryBytes, behaviour: guest },
    ...{ violation: nothing, note: nothing, onWork: nothing, onSpawn: nothing, record: nothing },
  });
  const process = new SimulatedProcess(time, chance);
  const again = (): Hypervisor =>
    change(simulatedHypervisor({ time, chance, process, room, behaviour: () => host }), room);
  let vms = 0;
  const work = holds({
    hypervisor: again(),
    clock: process.clock,
    again,
    async spec(overrides = {}) {
      vms += 1;
      return {
        vm: vms,
        address: { id: vms, ip: `10.0.0.${vms}`, port: 9_000 },
        ...{ image: IMAGE_PATH, imageDigest: FIRST_IMAGE, accelerator: 'kvm', memoryMib: MEMORY_MIB },
        ...{ statusIntervalMs: 200, textBytesMax: 65_536 },
        ...overrides,
      };
    },
    isAlive: ({ pid }) => room.byPid(pid)?.isAlive === true,
  });
  let isOver = false;
  const over = (): void => {
    isOver = true;
  };
  work.then(over, over);
  await time.run(LIMIT_MS, () => isOver);
  if (!isOver) throw new Error(`it waits for what does not come within ${LIMIT_MS} ms`);
  await work;
}
