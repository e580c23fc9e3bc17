import type { Ref } from '../actors/mod.ts';
import type { FleetEvent } from '../fleet/mod.ts';
import type { HostNotice } from '../hypervisor/mod.ts';
import type { EventLog } from './event-log.ts';

/** The notices of a controller as events. */
export function noticesTo(eventLog: EventLog, host: string): Ref<HostNotice> {
  return {
    path: '/core/notices',
    tell: (notice) => {
      eventLog.add(eventOf(notice, host, eventLog.nowMs));
      return true;
    },
  };
}

function eventOf(notice: HostNotice, host: string, atMs: number): FleetEvent {
  const { why } = notice;
  switch (notice.kind) {
    case 'unknown-found':
      return { atMs, kind: 'unidentified', host, text: `${notice.directory} is left alone: ${why}` };
    case 'vm-unidentified':
      return { atMs, kind: 'unidentified', host, vm: notice.vm, text: `VM ${notice.vm} is left alone: ${why}` };
    case 'vm-orphaned':
      return { atMs, kind: 'warning', host, vm: notice.vm, text: `VM ${notice.vm} was ended: ${why}` };
    case 'vm-impaired':
      return { atMs, kind: 'warning', host, vm: notice.vm, text: `VM ${notice.vm} goes on, but ${why}` };
    case 'directory-left': {
      const text = `the run directory of VM ${notice.vm}, which is gone, cannot be removed: ${why}`;
      return { atMs, kind: 'warning', host, vm: notice.vm, text };
    }
    case 'relay-refused': {
      const { vm, refusal, more } = notice;
      const others = more === 0 ? '' : `; ${more} more were refused since the last one told`;
      const text = `VM ${vm} printed a relayed command that is refused as ${refusal}: ${why}${others} (R10)`;
      return { atMs, kind: 'warning', host, vm, rule: 'R10', figures: { refused: refusal, more }, text };
    }
    case 'host-impaired':
      return { atMs, kind: 'warning', host, text: `host ${host} goes on, but ${why}` };
  }
}
