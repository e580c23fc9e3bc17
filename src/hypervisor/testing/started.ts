import { GuestClient } from '../link/guest-client.ts';
import type { Machine, MachineExit, MachineSpec } from '../port.ts';
import type { RealHypervisor } from './real-hypervisor.ts';

/** Generous: it is only reached when something is wrong. */
const ANSWER_MS = 30_000;

/** A machine whose guest is ready, and a client that is connected to it. */
export async function started(
  real: RealHypervisor,
  spec: MachineSpec,
): Promise<{ readonly machine: Machine; readonly client: GuestClient }> {
  const machine = await real.hypervisor.prepare(spec);
  const ready = heard(machine, 'shoal1 ready');
  await machine.start();
  await ready;
  return { machine, client: await GuestClient.open(real.hypervisor.connect(spec), ANSWER_MS) };
}

/** Resolves once the console has said `text`, with all that it said until then. */
export function heard(machine: Machine, text: string): Promise<string> {
  let said = '';
  return new Promise((resolve) => {
    machine.onConsole((bytes) => {
      said += Buffer.from(bytes).toString('latin1');
      if (said.includes(text)) resolve(said);
    });
  });
}

export function exitOf(machine: Machine): Promise<MachineExit> {
  return new Promise((resolve) => machine.onExit(resolve));
}
