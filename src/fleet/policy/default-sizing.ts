import type { Figures } from '../values/rule.ts';
import type { IdleVm, Sizing, SizingPolicy, SizingView } from './sizing.ts';

/** The rules R3 and R5 as `docs/rules.md` states them. */
export const DEFAULT_SIZING: SizingPolicy = {
  name: 'default',
  decide: (view) => ({ start: scaleUp(view), drain: scaleDown(view), spares: view.params.spareVmCount }),
};

/** R3: while more requests wait than the VMs now starting will take. */
function* scaleUp({ waiting, starting, params }: SizingView): Generator<Figures> {
  for (let coming = starting; waiting > coming * params.vmRequestsMax; coming++) {
    yield { waiting, capacity_to_come: coming * params.vmRequestsMax };
  }
}

/** R5: surplus VMs go, longest idle first, while those that take requests stay at the minimum or more. */
function scaleDown(view: SizingView): Sizing['drain'] {
  const { serving, params } = view;
  const most = serving - params.minVmCount;
  if (most <= 0) return [];
  return [...view.surplus()]
    .sort(longestIdleFirst)
    .slice(0, most)
    .map(({ vm, freeCount }, gone) => ({
      vm,
      figures: { free_count: freeCount, ready: serving - gone, min_vm_count: params.minVmCount },
    }));
}

/** Of equals the youngest goes: R2 prefers the oldest. */
function longestIdleFirst(a: IdleVm, b: IdleVm): number {
  return b.freeCount - a.freeCount || b.vm - a.vm;
}
