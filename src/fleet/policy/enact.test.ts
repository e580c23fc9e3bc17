import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import { drain, enact, repeatStops } from './enact.ts';
import { NOTHING } from './reaction.ts';

describe('a decision', () => {
  it('to drain a VM that drains already changes nothing', () => {
    const decision = { rule: 'command', vm: 1, why: 'another reason', ejected: false, figures: {} } as const;
    const bare = new BareFleet().ready(1);
    expect(drain(bare.fleet, decision).transitions).toHaveLength(1);
    bare.apply({ kind: 'vm-draining', vm: 1, why: 'a reason', ejected: false });
    expect(drain(bare.fleet, decision)).toEqual(NOTHING);
  });

  it('that nothing keeps VMs from being started any more is noted, and no news', () => {
    const { fleet } = new BareFleet().apply({ kind: 'blocked', cause: 'memory' });
    expect(enact(fleet, { kind: 'blocked', blockage: undefined }, 0)).toEqual({
      transitions: [{ kind: 'blocked', cause: undefined }],
      effects: [],
    });
  });

  it('to stop a VM says why, each time that it is repeated', () => {
    const stopping = { kind: 'vm-stopping', vm: 1, why: 'a reason', failed: false, nowMs: 0 } as const;
    const { fleet } = new BareFleet().ready(1).apply(stopping);
    expect(repeatStops(fleet, 4_999).effects).toEqual([]);
    expect(repeatStops(fleet, 5_000).effects).toEqual([
      { kind: 'command', command: { kind: 'stop', vm: 1, why: 'a reason' } },
    ]);
  });
});
