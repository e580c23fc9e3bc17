import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import type { OpenRequest } from '../state/open-request.ts';
import type { Reaction } from './reaction.ts';
import { takeAllBack, takeBack, writeOff } from './retries.ts';

const answered = ({ effects }: Reaction): readonly OpenRequest[] =>
  effects.flatMap((effect) => (effect.kind === 'answer' ? [effect.request] : []));
const waiting = ({ transitions }: Reaction): readonly OpenRequest[] =>
  transitions.flatMap((transition) => (transition.kind === 'request-waits' ? [transition.request] : []));

function vmOf(bare: BareFleet) {
  const vm = bare.fleet.vm(1);
  if (vm === undefined) throw new Error('VM 1 is there');
  return vm;
}

describe('R11, a request that its VM will not end', () => {
  it('may be tried once more although an earlier try came to nothing, for nothing of that was sent', () => {
    const bare = new BareFleet().ready(1);
    const request = bare.work(1);
    bare.apply(...takeBack(bare.fleet, [request], 'lost', 0, () => false).transitions);
    expect(request.mayBeOrphaned).toBe(false);
    for (const [waits, ends] of [
      [[request], []],
      [[], [request]],
    ]) {
      bare.apply({ kind: 'request-left', request, nowMs: 0 }, { kind: 'request-dispatched', request, vm: 1 });
      const back = takeBack(bare.fleet, [request], 'lost', 0);
      expect([waiting(back), answered(back)]).toEqual([waits, ends]);
      bare.apply(...back.transitions);
    }
  });

  it.each([true, false])('is forgotten if nobody waits for it (sent: %j)', (wasSent) => {
    const bare = new BareFleet().ready(1);
    const request = bare.work(1);
    bare.fleet.requests.end(request, { ok: false, status: 504, message: 'late' });
    const { effects, transitions } = takeBack(bare.fleet, [request], 'lost', 0, () => wasSent);
    expect(effects).toEqual([{ kind: 'forget', request }]);
    expect(transitions.map(({ kind }) => kind)).toEqual(['request-left']);
  });

  it('is poison if it stood in the queue of a stuck VM until the VM was free for it', () => {
    const bare = new BareFleet().ready(1);
    const [first, second, third] = [bare.work(1), bare.work(1), bare.work(1)];
    bare.apply({ kind: 'request-left', request: first, nowMs: 0 }).later(5_000);
    const back = takeAllBack(bare.fleet, vmOf(bare), 'killed', bare.nowMs, 'stuck');
    expect([answered(back), waiting(back)]).toEqual([[second], [third]]);
  });
});

describe('R6, work that a guest has no longer', () => {
  it('is written off more than stuck_ms after its deadline', () => {
    const bare = new BareFleet({ params: { stuck_ms: 2_000 } }).ready(1);
    const request = bare.work(1, 1_000);
    bare.fleet.requests.end(request, { ok: false, status: 504, message: 'late' });
    expect(writeOff(bare.fleet, vmOf(bare), 3_000).effects).toEqual([]);
    expect(writeOff(bare.fleet, vmOf(bare), 3_001).effects).toEqual([{ kind: 'forget', request }]);
  });
});
