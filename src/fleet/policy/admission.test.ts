import { describe, expect, it } from 'vitest';
import { BareFleet } from '../kit/bare-fleet.ts';
import { admit } from './admission.ts';

describe('a request that has just come', () => {
  it('stands in line behind those that wait for a VM that starts, and does not fall back before them', () => {
    const bare = new BareFleet({ addresses: 2 }).ready(1).booting(2);
    bare.work(1);
    bare.wait(1);
    expect(admit(bare.fleet, bare.newRequest(), 0)).toEqual({ kind: 'wait', rule: 'R3' });
  });
});

describe('R11', () => {
  it('lets 100 repeats join a request that is open, and refuses any further', () => {
    const bare = new BareFleet();
    const open = bare.request();
    const { requestId } = open.request;
    const repeat = bare.newRequest({ requestId });
    for (let n = 0; n < 100; n++) {
      expect(admit(bare.fleet, repeat, 0)).toEqual({ kind: 'join', request: open });
      bare.fleet.requests.join(open, repeat.replyTo, repeat.deadlineMs);
    }
    expect(admit(bare.fleet, repeat, 0)).toMatchObject({
      kind: 'end',
      rule: 'R11',
      outcome: { status: 503, message: 'overloaded: 100 repeats wait for the same request' },
    });
  });

  it.each([
    ['another operation', { op: 'lower' }],
    ['another text', { payload: new Uint8Array(5) }],
    ['another text of the same length', { payload: Uint8Array.of(1, 2, 3, 4) }],
  ])('refuses %s under the id of a request that is open', (_what, fields) => {
    const bare = new BareFleet();
    const { requestId } = bare.request().request;
    const other = bare.newRequest({ requestId, ...fields });
    expect(admit(bare.fleet, other, 0)).toMatchObject({ kind: 'end', rule: 'R11', outcome: { status: 400 } });
  });
});
