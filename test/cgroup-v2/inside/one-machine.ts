import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultImage } from '../../../src/app/mod.ts';
import { qmpOf } from '../../../src/hypervisor/kit/mod.ts';
import {
  createQemuHypervisor,
  inspectImage,
  type Machine,
  MEMORY_MIB,
  whyUncapped,
} from '../../../src/hypervisor/mod.ts';
import { createLauncher, type Launcher } from '../../../src/process/mod.ts';
import type { FactLine, Facts } from '../facts.ts';
import { CGROUP_ROOT, capsSeen, figureIn, Group, groupsBelow, killsSoFar } from './group.ts';

const TIMEOUT_MS = 60_000;
const MIB = 1024 * 1024;

/** Machines in a subtree that is delegated to Shoal, and in one that delegates no controllers. */
export async function oneMachine(tell: (line: FactLine) => void): Promise<void> {
  const launcher = createLauncher({ spawnTimeoutMs: TIMEOUT_MS });
  try {
    const handed = join(CGROUP_ROOT, 'handed');
    mkdirSync(handed);
    new Group(handed).write('cgroup.subtree_control', '+cpu +memory');
    tell({ name: 'grown', value: await letGrow(launcher, handed) });

    const bare = join(CGROUP_ROOT, 'bare');
    mkdirSync(bare);
    const machine = await prepared(launcher, bare);
    const group = Group.of(machine.process.pid).path;
    await ended(machine, () => machine.signal('SIGKILL'));
    tell({ name: 'bare', value: { why: whyUncapped(bare), group, leftGroups: groupsBelow(bare) } });
  } finally {
    await launcher.close();
  }
}

/** Makes QEMU itself exceed its limit, with a second memory backend that is filled at once. */
async function letGrow(launcher: Launcher, root: string): Promise<Facts['grown']> {
  const machine = await prepared(launcher, root);
  const caps = capsSeen(machine.manifest.spec.vm, machine.process.pid);
  const killsBefore = killsSoFar();
  const more = { 'qom-type': 'memory-backend-ram', id: 'more', size: 160 * MIB, prealloc: true };
  const endedBy = await ended(machine, () => {
    qmpOf(machine)('object-add', more, TIMEOUT_MS).then(
      () => machine.signal('SIGTERM'),
      // Its monitor went with it.
      () => undefined,
    );
  });
  const swapKib = figureIn(readFileSync('/proc/meminfo', 'utf8'), 'SwapTotal');
  const kills = killsSoFar() - killsBefore;
  return { caps, swapBytes: swapKib * 1024, endedBy, kills, leftGroups: groupsBelow(root) };
}

async function prepared(spawner: Launcher, cgroupRoot: string): Promise<Machine> {
  const image = await inspectImage(defaultImage());
  const runtimeRoot = mkdtempSync(join(tmpdir(), 'run-'));
  const hypervisor = createQemuHypervisor({
    fleetTag: 't',
    spawner,
    runtimeRoot,
    cgroupRoot,
    prepareTimeoutMs: TIMEOUT_MS,
  });
  return hypervisor.prepare({
    vm: 1,
    address: { id: 1, ip: '127.0.0.2', port: 9000 },
    image: image.path,
    imageDigest: image.digest,
    accelerator: 'tcg',
    memoryMib: MEMORY_MIB,
    statusIntervalMs: 1_000,
    textBytesMax: 65_536,
  });
}

/** Runs the action that ends the machine, then cleans up. @returns the signal that ended it, if any */
async function ended(machine: Machine, act: () => void): Promise<string | null> {
  const exited = new Promise<string | null>((resolve) => machine.onExit(({ signal }) => resolve(signal)));
  act();
  const signal = await exited;
  await machine.remove();
  return signal;
}
