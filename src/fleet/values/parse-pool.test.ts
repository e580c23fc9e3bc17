import { describe, expect, it } from 'vitest';
import { formatAddress } from './address.ts';
import { parsePool } from './parse-pool.ts';

describe('an address pool', () => {
  it.each([
    ['127.0.10.1-127.0.10.3:9000', ['127.0.10.1:9000', '127.0.10.2:9000', '127.0.10.3:9000']],
    [' 10.0.0.7:80 ', ['10.0.0.7:80']],
    ['10.0.0.254-10.0.1.1:1', ['10.0.0.254:1', '10.0.0.255:1', '10.0.1.0:1', '10.0.1.1:1']],
    ['1.0.0.0:1', ['1.0.0.0:1']],
    ['223.255.255.254-223.255.255.255:65535', ['223.255.255.254:65535', '223.255.255.255:65535']],
  ])('is read from %s', (text, addresses) => {
    const pool = parsePool(text);
    expect(pool.map(formatAddress)).toEqual(addresses);
    expect(pool.map((address) => address.id)).toEqual(addresses.map((_, index) => index + 1));
  });

  it.each([
    ['', /is not FIRST-LAST:PORT/],
    ['10.0.0.1', /is not FIRST-LAST:PORT/],
    ['10.0.0.256:80', /is not FIRST-LAST:PORT/],
    ['10.0.0.1-10.0.0:80', /is not FIRST-LAST:PORT/],
    ['::1:80', /is not FIRST-LAST:PORT/],
    ['10.0.0.1:0', /port 0/],
    ['10.0.0.1:65536', /port 65536/],
    ['10.0.0.2-10.0.0.1:80', /ends before it begins/],
    ['0.0.0.0:9000', /has 0\.0\.0\.0, which is no address of a host/],
    ['0.255.255.255-1.0.0.1:9000', /has 0\.255\.255\.255, which is no address of a host/],
    ['224.0.0.1:9000', /has 224\.0\.0\.1, which is a multicast address/],
    ['223.255.255.255-224.0.0.0:9000', /has 224\.0\.0\.0, which is a multicast address/],
    ['240.0.0.0:9000', /has 240\.0\.0\.0, which is reserved or the broadcast address/],
    ['255.255.255.255:9000', /has 255\.255\.255\.255, which is reserved or the broadcast address/],
    ['127.255.255.255:9000', /has 127\.255\.255\.255, which is the broadcast address of the loopback/],
    ['127.255.255.254-128.0.0.1:9000', /has 127\.255\.255\.255, which is the broadcast address/],
    ['10.0.0.0-10.255.255.255:80', /16777216 addresses, at most 131072/],
  ])('is refused with what is wrong: %s', (text, complaint) => {
    expect(() => parsePool(text)).toThrow(complaint);
  });
});
