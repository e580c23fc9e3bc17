import { describe, expect, it } from 'vitest';
import { BareFleet, DEPLOY } from '../../kit/bare-fleet.ts';

describe('a fleet', () => {
  it('replaces spares with other memory than VMs get now, and uses none of them', () => {
    const bare = new BareFleet({ params: { spare_vm_count: 1, vm_memory_bytes: 32 * 2 ** 20 } }).ready(1);
    bare.preparing(2, { spare: true });
    const memory = { mib: 16, usualMib: 16, leastMib: 7 };
    bare.apply({ kind: 'vm-durable', vm: 2 }, { kind: 'vm-prepared', vm: 2, pid: 2, imageDigest: 'x', memory });
    expect(bare.decisions()).toEqual(['R3 stop 2', 'R3 prepare 10.0.0.3']);
    bare.busy(1).wait(1);
    expect(bare.step()).toContainEqual(expect.objectContaining({ kind: 'start', rule: 'R3', spare: false }));
  });

  it.each([
    ['what its image usually has', 0, 16],
    ['what the parameter says', 32, 32],
    ['what its image needs, above what the parameter says', 4, 7],
  ])('leaves a spare alone that has %s', (_, wantedMib, mib) => {
    const bare = new BareFleet({ params: { spare_vm_count: 1, vm_memory_bytes: wantedMib * 2 ** 20 } }).ready(1);
    bare.preparing(2, { spare: true });
    const memory = { mib, usualMib: 16, leastMib: 7 };
    bare.apply({ kind: 'vm-durable', vm: 2 }, { kind: 'vm-prepared', vm: 2, pid: 2, imageDigest: 'x', memory });
    expect(bare.decisions()).toEqual([]);
  });

  it.each(['old', 'new'])(
    'keeps spares of the image before and of the new one while canaries are tried: %s',
    (imageDigest) => {
      const bare = new BareFleet({ image: 'old', deploy: DEPLOY, params: { spare_vm_count: 1 } })
        .readyOf('old', 1)
        .readyOf('new', 2)
        .prepared(3, { imageDigest, spare: true });
      expect(bare.decisions()).toEqual([]);
    },
  );
});
