import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ActorSystem, Ref } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import type { FleetSnapshot, RouterMessage } from '../fleet/mod.ts';
import type { ControllerMessage, LogLine } from '../hypervisor/mod.ts';
import type { AdminHandler } from '../transport/mod.ts';
import { version } from './version.ts';

const ASK_TIMEOUT_MS = 4_000;
const LINES_MAX = 10_000;

/** What `shoal ps` and its friends ask for. */
export function adminHandlers(
  system: ActorSystem,
  router: Ref<RouterMessage>,
  controller: Ref<ControllerMessage>,
  logFolder: string,
): Readonly<Record<string, AdminHandler>> {
  const snapshot = (): Promise<FleetSnapshot> =>
    system.ask(router, (replyTo: Ref<FleetSnapshot>): RouterMessage => ({ kind: 'snapshot', replyTo }), ASK_TIMEOUT_MS);
  const isKnown = async (vm: number): Promise<boolean> =>
    existsSync(join(logFolder, `vm-${vm}.log`)) || (await snapshot()).vms.some((row) => row.id_vmachine === vm);
  return {
    ps: snapshot,
    version: () => Promise.resolve({ shoal: version(), node: process.versions.node }),
    logs: async (args) => {
      const vm = whole(args, 'vm', Number.MAX_SAFE_INTEGER);
      const linesMax = whole(args, 'lines', LINES_MAX);
      const toMessage = (replyTo: Ref<readonly LogLine[]>): ControllerMessage => ({
        kind: 'logs',
        vm,
        linesMax,
        replyTo,
      });
      const lines = await system.ask(controller, toMessage, ASK_TIMEOUT_MS);
      if (lines.length === 0 && !(await isKnown(vm))) throw unknownVm(vm);
      return { lines };
    },
  };
}

function unknownVm(vm: number): ShoalError {
  return new ShoalError(
    'VM_UNKNOWN',
    `There is no VM ${vm}, and no log of an earlier one; \`shoal ps\` lists those that there are`,
  );
}

/** A message may come from anybody who may speak to the subject: nothing in it is taken on trust. */
function whole(args: unknown, name: string, max: number): number {
  const value: unknown = typeof args === 'object' && args !== null ? Reflect.get(args, name) : undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= max) return value;
  throw new ShoalError(
    'NATS_MESSAGE_INVALID',
    `Expected ${name} to be a whole number from 1 to ${max}, got ${JSON.stringify(value)?.slice(0, 100)}`,
  );
}
