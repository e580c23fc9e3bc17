import { existsSync } from 'node:fs';
import type { Ref } from '../../actors/mod.ts';
import type { VmRow } from '../../fleet/mod.ts';
import { type ControllerMessage, type LogLine, logPath, QEMU_DEFAULT, type VmSummary } from '../../hypervisor/mod.ts';
import type { AdminHandler } from '../../transport/mod.ts';
import { keptImagePath } from '../kept-image.ts';
import { Arguments } from './arguments.ts';
import { type AdminDeps, ASK_TIMEOUT_MS, command, snapshotOf, unknownVm } from './deps.ts';

const LINES_MAX = 10_000;
const EVENTS_OF_VM_MAX = 20;
const LINES_OF_VM = 10;

/** Verbs about VMs. */
export function vmHandlers(deps: AdminDeps): Readonly<Record<string, AdminHandler>> {
  return {
    ps: () => withShards(deps),
    logs: async (args) => {
      const named = new Arguments(args);
      const vm = named.vm();
      const lines = await logLines(deps, vm, named.whole('lines', { min: 1, max: LINES_MAX }));
      if (lines.length === 0 && !(await isKnown(deps, vm))) throw unknownVm(vm);
      return { lines };
    },
    inspect: (args) => inspect(deps, new Arguments(args).vm()),
    drain: (args) => {
      const vm = new Arguments(args).vm();
      return command(deps, (replyTo) => ({ kind: 'drain-vm', vm, replyTo }));
    },
    rm: (args) => {
      const vm = new Arguments(args).vm();
      return command(deps, (replyTo) => ({ kind: 'remove-vm', vm, replyTo }));
    },
    restart: (args) => {
      const named = new Arguments(args);
      const vms = named.has('vm') ? [named.vm()] : ('all' as const);
      return command(deps, (replyTo) => ({ kind: 'restart-vms', vms, replyTo }));
    },
    scale: async (args) => {
      const vmCount = new Arguments(args).whole('vms', { min: 0, max: Number.MAX_SAFE_INTEGER });
      // Durable before it is acted on. This also checks the figure. The router puts it in force with the command.
      await deps.settings.write({ min_vm_count: vmCount });
      // A host without VMs keeps the figure for later.
      if (deps.settings.holdsVms) return { vms: [] };
      return command(deps, (replyTo) => ({ kind: 'scale', vmCount, replyTo }));
    },
  };
}

/** The router's snapshot with the shard of each VM, null on the main thread, and its network, null until it is known. */
async function withShards(deps: AdminDeps): Promise<unknown> {
  const [snapshot, summaries] = await Promise.all([snapshotOf(deps), summariesOf(deps)]);
  const known = new Map(summaries.map((summary) => [summary.vm, summary]));
  const vms = snapshot.vms.map((row) => {
    const summary = known.get(row.id_vmachine);
    return { ...row, shard: summary?.shard ?? null, network: summary?.network ?? null, ...qemuOf(summary) };
  });
  return { ...snapshot, vms };
}

/** The program of a VM and why it was chosen; null until the VM is known. */
function qemuOf(summary: VmSummary | undefined): Readonly<Record<string, string | null>> {
  if (summary === undefined) return { qemu: null, qemu_why: null };
  // An older Shoal knew no other than the full build, and asked for it by the same name.
  const { program = QEMU_DEFAULT, why = 'the Shoal that made it knew no other' } = summary.qemu ?? {};
  return { qemu: program, qemu_why: why };
}

function summariesOf({ system, controller }: AdminDeps): Promise<readonly VmSummary[]> {
  const toMessage = (replyTo: Ref<readonly VmSummary[]>): ControllerMessage => ({ kind: 'vms', replyTo });
  return system.ask(controller, toMessage, ASK_TIMEOUT_MS);
}

function logLines({ system, controller }: AdminDeps, vm: number, linesMax: number): Promise<readonly LogLine[]> {
  const toMessage = (replyTo: Ref<readonly LogLine[]>): ControllerMessage => ({ kind: 'logs', vm, linesMax, replyTo });
  return system.ask(controller, toMessage, ASK_TIMEOUT_MS);
}

async function isKnown(deps: AdminDeps, vm: number): Promise<boolean> {
  if (existsSync(logPath(deps.logFolder, vm))) return true;
  return (await rowOf(deps, vm)) !== undefined;
}

async function rowOf(deps: AdminDeps, vm: number): Promise<VmRow | undefined> {
  const { vms } = await snapshotOf(deps);
  return vms.find((row) => row.id_vmachine === vm);
}

/** Everything about one VM: state, process, image, events, log. */
async function inspect(deps: AdminDeps, vm: number): Promise<unknown> {
  const row = await rowOf(deps, vm);
  if (row === undefined) throw unknownVm(vm);
  const summary = (await summariesOf(deps)).find((one) => one.vm === vm);
  const { companion } = deps.parameters;
  // An adopted VM runs the image, and under the accelerator, that it was started with.
  const digest = summary?.imageDigest ?? deps.parameters.imageDigest;
  const kept = await deps.profileOf(digest);
  const beside = digest === deps.parameters.imageDigest ? companion?.digest : undefined;
  return {
    ...row,
    pid: summary?.pid ?? null,
    shard: summary?.shard ?? null,
    network: summary?.network ?? null,
    ...qemuOf(summary),
    accelerator: summary?.accelerator ?? deps.parameters.accelerator,
    memory_mib: row.memory_mib ?? kept?.profile.memoryMib ?? null,
    image: keptImagePath(deps.data, digest),
    image_digest: digest,
    boot_file: kept?.companion ?? null,
    boot_digest: beside ?? null,
    profile: kept?.profile ?? null,
    events: deps.eventLog.latest(EVENTS_OF_VM_MAX, vm),
    log: await logLines(deps, vm, LINES_OF_VM),
  };
}
