import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import { bootOf, drain, enact, enactStart } from './enact.ts';

describe('what follows from a decision', () => {
  it('is nothing when a VM is to be drained that drains already', () => {
    const bare = new BareFleet().ready(1);
    const decision = { rule: 'command', vm: 1, reason: 'drained', why: 'asked', ejected: false, figures: {} } as const;
    bare.apply(...drain(bare.fleet, decision, 0).transitions);
    expect(drain(bare.fleet, decision, 0)).toEqual({ transitions: [], effects: [] });
  });

  it.each([
    ['asked', 'VM 1 boots'],
    ['yes', 'VM 1, which has booted, goes on'],
  ] as const)('says of a spare that is used whether it boots or has booted ahead (%s)', (booted, text) => {
    const bare = new BareFleet().prepared(1, { spare: true });
    bare.apply({ kind: 'vm-spare-booted', vm: 1, booted });
    const vm = bare.fleet.vm(1);
    if (vm === undefined) throw new Error('it is there');
    expect(bootOf(bare.fleet, vm, 'R3', 0).effects).toContainEqual(
      expect.objectContaining({ event: expect.objectContaining({ kind: 'vm-booting', text }) }),
    );
  });

  it.each([[undefined], ['digest']])('is a VM that is of its image from its reservation on (%s)', (image) => {
    const bare = new BareFleet();
    const [address] = bare.fleet.freeAddresses(0);
    if (address === undefined) throw new Error('it is there');
    const decision = {
      kind: 'start',
      rule: 'R1',
      address,
      spare: false,
      figures: {},
      replaces: undefined,
      ...(image && { image }),
    } as const;
    const { transitions, effects } = enactStart(bare.fleet, decision, 1, 0);
    bare.apply(...transitions);
    expect(bare.fleet.vm(1)?.imageDigest).toBe(image);
    const told = effects.flatMap((effect) => (effect.kind === 'command' ? [effect.command] : []));
    expect(told).toEqual([{ kind: 'prepare', vm: 1, address, ...(image && { image }) }]);
  });

  it('is nothing when a spare is to boot ahead that is wanted already', () => {
    const bare = new BareFleet().prepared(1, { spare: true });
    const decision = { kind: 'boot-spare', rule: 'R3', vm: 1 } as const;
    expect(enact(bare.fleet, decision, 0).effects).toContainEqual({
      kind: 'command',
      command: { kind: 'boot-spare', vm: 1 },
    });
    bare.apply({ kind: 'vm-wanted', vm: 1, rule: 'R1', replaces: undefined, nowMs: 0 });
    expect(enact(bare.fleet, decision, 0)).toEqual({ transitions: [], effects: [] });
  });

  it('is that a blockage is over, without an event', () => {
    const { fleet } = new BareFleet();
    const over = { kind: 'blocked', rule: 'R1', blockage: undefined } as const;
    expect(enact(fleet, over, 0)).toEqual({ transitions: [{ kind: 'blocked', cause: undefined }], effects: [] });
  });
});
