import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import { drain, enact } from './enact.ts';

describe('what follows from a decision', () => {
  it('is nothing when a VM is to be drained that drains already', () => {
    const bare = new BareFleet().ready(1);
    const decision = { rule: 'command', vm: 1, reason: 'drained', why: 'asked', ejected: false, figures: {} } as const;
    bare.apply(...drain(bare.fleet, decision, 0).transitions);
    expect(drain(bare.fleet, decision, 0)).toEqual({ transitions: [], effects: [] });
  });

  it('is that a blockage is over, without an event', () => {
    const { fleet } = new BareFleet();
    const over = { kind: 'blocked', rule: 'R1', blockage: undefined } as const;
    expect(enact(fleet, over, 0)).toEqual({ transitions: [{ kind: 'blocked', cause: undefined }], effects: [] });
  });
});
