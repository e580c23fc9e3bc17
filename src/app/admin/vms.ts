import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Ref } from '../../actors/mod.ts';
import type { VmRow } from '../../fleet/mod.ts';
import type { ControllerMessage, LogLine, VmSummary } from '../../hypervisor/mod.ts';
import type { AdminHandler } from '../../transport/mod.ts';
import { Arguments } from './arguments.ts';
import { type AdminGround, ASK_TIMEOUT_MS, command, snapshotOf, unknownVm } from './ground.ts';

const LINES_MAX = 10_000;
const EVENTS_OF_VM_MAX = 20;
const LINES_OF_VM = 10;

/** Verbs about VMs. */
export function vmHandlers(ground: AdminGround): Readonly<Record<string, AdminHandler>> {
  return {
    ps: () => withShards(ground),
    logs: async (args) => {
      const named = new Arguments(args);
      const vm = named.vm();
      const lines = await logLines(ground, vm, named.whole('lines', { min: 1, max: LINES_MAX }));
      if (lines.length === 0 && !(await isKnown(ground, vm))) throw unknownVm(vm);
      return { lines };
    },
    inspect: (args) => inspect(ground, new Arguments(args).vm()),
    drain: (args) => {
      const vm = new Arguments(args).vm();
      return command(ground, (replyTo) => ({ kind: 'drain-vm', vm, replyTo }));
    },
    rm: (args) => {
      const vm = new Arguments(args).vm();
      return command(ground, (replyTo) => ({ kind: 'remove-vm', vm, replyTo }));
    },
    restart: (args) => {
      const named = new Arguments(args);
      const vms = named.has('vm') ? [named.vm()] : ('all' as const);
      return command(ground, (replyTo) => ({ kind: 'restart-vms', vms, replyTo }));
    },
    scale: async (args) => {
      const vmCount = new Arguments(args).whole('vms', { min: 0, max: Number.MAX_SAFE_INTEGER });
      // On disk before it is acted on; this also says what is wrong with the figure.
      await ground.settings.set({ min_vm_count: vmCount });
      return command(ground, (replyTo) => ({ kind: 'scale', vmCount, replyTo }));
    },
  };
}

/** What the router knows, and on which thread each VM of this host is watched; null on the main thread. */
async function withShards(ground: AdminGround): Promise<unknown> {
  const [snapshot, summaries] = await Promise.all([snapshotOf(ground), summariesOf(ground)]);
  const shards = new Map(summaries.map(({ vm, shard }) => [vm, shard]));
  const vms = snapshot.vms.map((row) => ({ ...row, shard: shards.get(row.id_vmachine) ?? null }));
  return { ...snapshot, vms };
}

function summariesOf({ system, controller }: AdminGround): Promise<readonly VmSummary[]> {
  const toMessage = (replyTo: Ref<readonly VmSummary[]>): ControllerMessage => ({ kind: 'vms', replyTo });
  return system.ask(controller, toMessage, ASK_TIMEOUT_MS);
}

function logLines({ system, controller }: AdminGround, vm: number, linesMax: number): Promise<readonly LogLine[]> {
  const toMessage = (replyTo: Ref<readonly LogLine[]>): ControllerMessage => ({ kind: 'logs', vm, linesMax, replyTo });
  return system.ask(controller, toMessage, ASK_TIMEOUT_MS);
}

async function isKnown(ground: AdminGround, vm: number): Promise<boolean> {
  if (existsSync(join(ground.logFolder, `vm-${vm}.log`))) return true;
  return (await rowOf(ground, vm)) !== undefined;
}

async function rowOf(ground: AdminGround, vm: number): Promise<VmRow | undefined> {
  const { vms } = await snapshotOf(ground);
  return vms.find((row) => row.id_vmachine === vm);
}

/** All that is known of one VM. */
async function inspect(ground: AdminGround, vm: number): Promise<unknown> {
  const row = await rowOf(ground, vm);
  if (row === undefined) throw unknownVm(vm);
  const summary = (await summariesOf(ground)).find((one) => one.vm === vm);
  const { accelerator, memoryMib } = ground.parameters;
  // An adopted VM runs the image that it was started with.
  const digest = summary?.imageDigest ?? ground.parameters.imageDigest;
  return {
    ...row,
    pid: summary?.pid ?? null,
    shard: summary?.shard ?? null,
    accelerator,
    memory_mib: memoryMib,
    image: ground.imagePath(digest),
    image_digest: digest,
    events: ground.eventLog.latest(EVENTS_OF_VM_MAX, vm),
    log: await logLines(ground, vm, LINES_OF_VM),
  };
}
