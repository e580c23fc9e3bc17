import { describe, expect, test } from 'vitest';
import { snapshotOf, vmRow } from './kit/facts.ts';
import { hasManyHosts, mergedSnapshot, vmName } from './merged-snapshot.ts';

const lookOf = (host: string, more = {}) => ({
  host,
  snapshot: { ...snapshotOf([{ ...vmRow(1), host }]), hosts: [{ host, up: true }], ...more },
});

describe('the snapshots of several hosts', () => {
  test('are one: VMs and hosts of all, figures added up', () => {
    const requests = (ok: number) => ({
      accepted: ok,
      ok,
      failed: { 503: 1 },
      routed: { R2: ok },
      handed: { on: 1, refused: 0, in: 1 },
    });
    const merged = mergedSnapshot([
      lookOf('a', { requests: requests(2), waiting: 1, addresses: 3, addresses_free: 2, uptime_ms: 5 }),
      lookOf('b', { requests: requests(4), waiting: 2, addresses: 5, addresses_free: 4, uptime_ms: 9 }),
    ]);
    expect(merged.vms.map((vm) => vmName(vm, hasManyHosts(merged)))).toEqual(['a/1', 'b/1']);
    expect(merged).toMatchObject({ waiting: 3, addresses: 8, addresses_free: 6, uptime_ms: 9, blocked: null });
    expect(merged.requests).toEqual({
      ...{ accepted: 6, ok: 6, failed: { 503: 2 }, routed: { R2: 6 } },
      handed: { on: 2, refused: 0, in: 2 },
    });
  });

  test('name the host that does not answer as out of reach, and the one that cannot start VMs', () => {
    const merged = mergedSnapshot([lookOf('a', { blocked: 'no memory' }), { host: 'b', snapshot: undefined }]);
    expect(merged.hosts).toEqual([
      { host: 'a', up: true },
      { host: 'b', up: false },
    ]);
    expect(merged.blocked).toBe('a: no memory');
  });

  test('of one host are what that host says', () => {
    const only = lookOf('a');
    expect(mergedSnapshot([only])).toBe(only.snapshot);
    expect(vmName({ host: 'a', id_vmachine: 3 }, hasManyHosts(only.snapshot))).toBe('3');
  });
});
