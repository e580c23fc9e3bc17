import type { Ref } from '../actors/mod.ts';
import type { FleetEvent } from '../fleet/mod.ts';
import type { HostNotice } from '../hypervisor/mod.ts';
import type { EventLog } from './event-log.ts';

/** What a controller wants somebody to look at, as event. */
export function noticesTo(board: EventLog, host: string): Ref<HostNotice> {
  return {
    path: '/core/notices',
    tell: (notice) => {
      board.add(eventsOf(notice, host));
      return true;
    },
  };
}

function eventsOf(notice: HostNotice, host: string): FleetEvent {
  const atMs = Date.now();
  if (notice.kind === 'unknown-found') {
    return { atMs, kind: 'unidentified', host, text: `${notice.directory} is left alone: ${notice.why}` };
  }
  return { atMs, kind: 'unidentified', host, vm: notice.vm, text: `VM ${notice.vm} is left alone: ${notice.why}` };
}
