import type { Clock } from '../../actors/mod.ts';
import type { VmId } from '../../fleet/mod.ts';
import { EndedLogs } from '../console/ended-logs.ts';
import { type LogLine, makeLogFolder, readLog } from '../console/guest-log.ts';
import type { LogMessage } from './controller-messages.ts';
import type { VmTable } from './vm-table.ts';

/** The logs of a host's guests: those of living VMs are with their actors, the others in files. */
export class GuestLogs {
  readonly #folder: string | undefined;
  readonly #ended: EndedLogs | undefined;
  readonly #vms: VmTable;
  readonly #clock: Clock;

  /** @param folder undefined keeps no files */
  constructor(folder: string | undefined, vms: VmTable, clock: Clock) {
    this.#folder = folder;
    if (folder !== undefined) this.#ended = new EndedLogs(folder);
    this.#vms = vms;
    this.#clock = clock;
  }

  receive(message: LogMessage): void {
    const ref = this.#vms.ref(message.vm);
    switch (message.kind) {
      case 'logs': {
        const { linesMax, replyTo } = message;
        if (ref?.tell({ kind: 'logs', linesMax, replyTo }) !== true) void this.#readFile(message);
        return;
      }
      case 'follow-logs':
        if (ref?.tell({ kind: 'follow', to: message.to }) !== true)
          message.to.tell({ vm: message.vm, lines: [], ended: true });
        return;
      case 'unfollow-logs':
        ref?.tell({ kind: 'unfollow', to: message.to });
        return;
    }
  }

  /** A VM that is gone, and not in the table any more. Of such, the oldest logs are removed. */
  ended(vm: VmId): void {
    void this.#ended?.add(vm, (one) => this.#vms.ref(one) !== undefined).catch(() => undefined);
  }

  async #readFile({ vm, linesMax, replyTo }: Extract<LogMessage, { kind: 'logs' }>): Promise<void> {
    const folder = this.#folder;
    const unreadable = (error: unknown): readonly LogLine[] => [
      { atMs: this.#clock.now(), text: `[shoal] the log cannot be read: ${String(error)}` },
    ];
    replyTo.tell(folder === undefined ? [] : await readLog(folder, vm, linesMax).catch(unreadable));
  }
}

/** @returns the folder, or undefined if it cannot be made: VMs live without files for their logs */
export async function logFolderOf(
  folder: string | undefined,
  onFailure: (why: string) => void,
): Promise<string | undefined> {
  if (folder === undefined) return undefined;
  try {
    await makeLogFolder(folder);
    return folder;
  } catch (error) {
    onFailure(`the logs of guests cannot be kept in ${folder}: ${String(error)}`);
    return undefined;
  }
}
