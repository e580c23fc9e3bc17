import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import { admit } from './admission.ts';

describe('a request that comes', () => {
  it('does not overtake those that wait, though a VM is free', () => {
    const bare = new BareFleet().ready(1).wait(1);
    expect(admit(bare.fleet, bare.newRequest(), 0)).toMatchObject({ kind: 'wait' });
  });
});

describe('R11, repeats of an open request', () => {
  it('join it up to a hundred; one more is refused, and counted as a repeat', () => {
    const bare = new BareFleet().ready(1);
    const request = bare.newRequest();
    const open = bare.fleet.requests.open(request, 0);
    while (open.waiters.length < 100) bare.fleet.requests.join(open, request.replyTo, request.deadlineMs);
    expect(admit(bare.fleet, request, 0)).toMatchObject({ kind: 'join' });
    bare.fleet.requests.join(open, request.replyTo, request.deadlineMs);
    expect(admit(bare.fleet, request, 0)).toMatchObject({ kind: 'end', rule: 'R11', outcome: { status: 503 } });
  });
});
