import { defaultImage } from '../src/app/mod.ts';
import { connect } from '../src/client/mod.ts';
import type { VmNetwork } from '../src/hypervisor/mod.ts';
import { randomPool, TestFleet } from '../test/driver/fleet.ts';
import { compare, type Row } from './compare.ts';
import { BareQemu } from './peers/bare-qemu.ts';

const ROUNDS = 15;
const TEXT = 'sixteen byte text';
const PORT = 9000;

interface Start {
  readonly name: string;
  /** Which spares there are; default: none. */
  readonly spare?: 'prepared' | 'booted';
  /** Default: `user`. */
  readonly network?: VmNetwork;
  /** Whether the peer is the small QEMU, without a network; default: the full one. */
  readonly besideSmall?: true;
  readonly atMost: number;
}

const STARTS: readonly Start[] = [
  { name: 'start-from-nothing', atMost: 1.2 },
  { name: 'start-from-spare', spare: 'prepared', atMost: 0.35 },
  { name: 'start-from-booted-spare', spare: 'booted', atMost: 0.1 },
  { name: 'start-without-a-network', network: 'none', atMost: 0.75 },
  { name: 'start-without-a-network-beside-the-small', network: 'none', besideSmall: true, atMost: 1.15 },
  { name: 'start-without-a-network-from-spare', network: 'none', spare: 'prepared', atMost: 0.25 },
  { name: 'start-without-a-network-from-booted-spare', network: 'none', spare: 'booted', atMost: 0.1 },
];

/** A request that finds no VM, until its reply, beside the same image started by hand until its first reply. */
export async function* startSuite(wanted: (name: string) => boolean): AsyncIterable<Row> {
  for (const start of STARTS) if (wanted(start.name)) yield* startRow(start);
}

async function* startRow({ name, spare, network = 'user', besideSmall, atMost }: Start): AsyncIterable<Row> {
  const spares = spare === undefined ? 0 : 1;
  const sets = [
    `spare_vm_count=${spares}`,
    `spare_state=${spare ?? 'prepared'}`,
    'free_count=1',
    'status_interval_ms=50',
    'min_vm_count=0',
  ];
  await using fleet = await TestFleet.start({ network, flags: sets.flatMap((one) => ['--set', one]) });
  const client = await connect({ servers: fleet.ready.nats });
  const { accelerator } = fleet.ready;
  const of = { image: defaultImage(), accelerator, ip: randomPool(1).split('-')[0] ?? '', port: PORT };
  const bare = besideSmall === true ? { ...of, isSmall: true } : of;
  try {
    yield await compare({
      name,
      unit: 'ms',
      goal: { atMost },
      rounds: ROUNDS,
      ours: async () => {
        await rested(fleet, spares);
        if (spare === 'booted') await booted(fleet);
        const startMs = performance.now();
        await client.request(TEXT);
        return performance.now() - startMs;
      },
      baseline: async () => {
        const startMs = performance.now();
        const qemu = new BareQemu(bare);
        try {
          await qemu.ready();
          const link = await qemu.link();
          await link.request(TEXT);
          const ms = performance.now() - startMs;
          link.close();
          return ms;
        } finally {
          await qemu.kill();
        }
      },
    });
  } finally {
    await client.close();
  }
}

/** Resolves when only prepared spares are left: the fleet has scaled to zero. */
async function rested(fleet: TestFleet, spares: number): Promise<void> {
  await fleet.until(
    'only spares are left',
    ({ vms }) => vms.length === spares && vms.every((vm) => vm.state === 'prepared'),
  );
}

/** Resolves when the spare stands still. */
async function booted(fleet: TestFleet): Promise<void> {
  const { vms } = await fleet.snapshot();
  const text = `VM ${vms[0]?.id_vmachine}, a spare, has booted and stands still`;
  while (!(await fleet.events()).some((event) => event.text === text)) {
    // pause: until the next look
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
