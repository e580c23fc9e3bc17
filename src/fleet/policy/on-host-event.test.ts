import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import type { HostEvent } from '../values/host-messages.ts';
import { onHostEvent } from './on-host-event.ts';

const kinds = (list: readonly { readonly kind: string }[]) => list.map(({ kind }) => kind);
const told = (bare: BareFleet, event: HostEvent) => onHostEvent(bare.fleet, event, { nowMs: bare.nowMs, epochMs: 0 });
const prepared = { kind: 'vm-prepared', host: 'here', vm: 1, pid: 7, imageDigest: 'x' } as const;
const guest = { textBytesMax: 1, idempotent: true, operations: [] };

describe('what follows from what a controller tells', () => {
  it('is nothing when a VM is told to be prepared a second time', () => {
    expect(told(new BareFleet().ready(1), prepared)).toEqual({ transitions: [], effects: [] });
  });

  it('is no boot when a spare is prepared, though its reservation is durable', () => {
    const bare = new BareFleet().preparing(1, { spare: true }).apply({ kind: 'vm-durable', vm: 1 });
    expect(kinds(told(bare, prepared).transitions)).toEqual(['vm-prepared']);
  });

  it('is no link to a VM that is being ended', () => {
    const bare = new BareFleet().booting(1);
    const answering = { kind: 'vm-answering', host: 'here', vm: 1, guest } as const;
    expect(kinds(told(bare, answering).effects)).toEqual(['open-link']);
    bare.apply({ kind: 'vm-stopping', vm: 1, why: 'enough', nowMs: 0 });
    expect(kinds(told(bare, answering).effects)).toEqual([]);
  });

  it('is, when a VM is gone, that its link is closed, and why it was meant to go', () => {
    const bare = new BareFleet().ready(1).apply({ kind: 'vm-stopping', vm: 1, why: 'idle', nowMs: 0 });
    const end = { clean: true, why: 'stopped', exitCode: 0 };
    const { effects } = told(bare, { kind: 'vm-gone', host: 'here', vm: 1, end });
    expect(kinds(effects)).toEqual(['close-link', 'event', 'write-release']);
    expect(effects[1]).toMatchObject({ event: { text: 'VM 1 is gone: idle' } });
  });
});
