import { expect, test } from 'vitest';
import { parseHostPool } from './host-pool.ts';

const interfacesWith = (address: string, netmask: string) => ({
  lo: [{ family: 'IPv6', address: '::1', netmask: 'ffff::' }],
  gone: undefined,
  eth0: [{ family: 'IPv4', address, netmask }],
});

test.each([
  ['10.1.2.3', '255.255.255.0', '10.1.2.255:9000'],
  ['10.1.2.3', '255.255.252.0', '10.1.3.250-10.1.3.255:9000'],
  ['10.1.2.5', '255.255.255.252', '10.1.2.7:9000'],
  ['172.17.0.1', '255.255.0.0', '172.17.255.255:9000'],
])('with the interface %s/%s the pool %s is refused', (address, netmask, pool) => {
  expect(() => parseHostPool(pool, interfacesWith(address, netmask))).toThrow(
    expect.objectContaining({ code: 'POOL_INVALID', message: expect.stringMatching(/the broadcast address of eth0/) }),
  );
});

test.each([
  ['10.1.2.3', '255.255.255.0', '10.1.2.1-10.1.2.254:9000'],
  ['10.1.0.3', '255.255.252.0', '10.1.2.255:9000'],
  ['10.1.2.6', '255.255.255.254', '10.1.2.6-10.1.2.7:9000'],
  ['10.1.2.255', '255.255.255.255', '10.1.2.255:9000'],
])('with the interface %s/%s the pool %s is taken', (address, netmask, pool) => {
  expect(parseHostPool(pool, interfacesWith(address, netmask)).length).toBeGreaterThan(0);
});

test('a pool that is none is refused', () => {
  expect(() => parseHostPool('0.0.0.0:9000')).toThrow(/no address of a host/);
});
