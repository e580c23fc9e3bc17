import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import { onLinkExited, onLinkLost, onLinkReady } from './on-link-event.ts';

const kinds = (list: readonly { readonly kind: string }[]) => list.map(({ kind }) => kind);
const NOTHING = { transitions: [], effects: [] };

describe('a link', () => {
  it('is ready once', () => {
    expect(onLinkReady(new BareFleet().ready(1).fleet, 1, 0)).toEqual(NOTHING);
  });

  it('that is ready for the first time tells how long the boot took, without the time before', () => {
    const bare = new BareFleet().prepared(1).later(3_000);
    bare.apply({ kind: 'vm-booting', vm: 1, nowMs: bare.nowMs }).later(500);
    const [event] = onLinkReady(bare.fleet, 1, bare.nowMs).effects;
    expect(event).toMatchObject({ event: { figures: { boot_ms: 500, since_decision_ms: 3_500 } } });
  });

  it('is lost once', () => {
    const bare = new BareFleet().ready(1).link(1, false);
    expect(onLinkLost(bare.fleet, { kind: 'link-lost', vm: 1, sent: [], unsent: [], why: 'reset' }, 0)).toEqual(
      NOTHING,
    );
  });
});

describe('the link of a VM that is being ended', () => {
  const stopping = () => {
    const bare = new BareFleet().ready(1);
    const frames = [bare.work(1).frame, bare.work(1).frame];
    bare.apply({ kind: 'vm-stopping', vm: 1, reason: 'idle', why: 'silent', nowMs: 0 });
    return { bare, frames };
  };

  it('is lost without an event, and gives back only requests of which nothing was sent', () => {
    const { bare, frames } = stopping();
    const [sent = 0, unsent = 0] = frames;
    const reaction = onLinkLost(
      bare.fleet,
      { kind: 'link-lost', vm: 1, sent: [sent], unsent: [unsent], why: 'reset' },
      0,
    );
    expect(kinds(reaction.transitions)).toEqual(['vm-linked', 'request-left', 'request-waits', 'request-orphaned']);
    expect(reaction.effects).toEqual([]);
  });

  it('may fail: what was on it waits for the verdict of the host', () => {
    const { bare } = stopping();
    const { transitions } = onLinkExited(bare.fleet, 1, 'a defect', 0);
    expect(kinds(transitions)).toEqual(['vm-linked', 'request-orphaned', 'request-orphaned']);
  });
});
