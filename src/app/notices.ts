import type { Ref } from '../actors/mod.ts';
import type { News } from '../fleet/mod.ts';
import type { HostNotice } from '../hypervisor/mod.ts';
import type { NewsBoard } from './news-board.ts';

/** What a controller wants somebody to look at, as news. */
export function noticesTo(board: NewsBoard, host: string): Ref<HostNotice> {
  return {
    path: '/core/notices',
    tell: (notice) => {
      board.add(newsOf(notice, host));
      return true;
    },
  };
}

function newsOf(notice: HostNotice, host: string): News {
  const atMs = Date.now();
  if (notice.kind === 'unknown-found') {
    return { atMs, kind: 'unidentified', host, text: `${notice.directory} is left alone: ${notice.why}` };
  }
  return { atMs, kind: 'unidentified', host, vm: notice.vm, text: `VM ${notice.vm} is left alone: ${notice.why}` };
}
