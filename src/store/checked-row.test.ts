import { expect, it } from 'vitest';
import { checkedRow, checkFields } from './checked-row.ts';
import { IP_POOL, SOFT_FIELDS, SYSTEM_PARAM } from './field-checks.ts';

const ADDRESS = { id_ip: 1, ip: '127.0.0.1', port: 9_000, reserve: false, last_reserve: null, host: 'a', vm: null };

it('a row has every field of its table, and no other', () => {
  const whole = { ...ADDRESS, retired: false };
  expect(checkedRow(whole, IP_POOL, 'ip_pool[0]')).toEqual(whole);
  expect(() => checkedRow(ADDRESS, IP_POOL, 'ip_pool[0]')).toThrow(
    'ip_pool[0].retired is missing; it must be true or false',
  );
  // Any of these has a value in every object.
  for (const name of ['owner', 'toString', 'constructor']) {
    expect(() => checkedRow({ ...whole, [name]: 1 }, IP_POOL, 'ip_pool[0]')).toThrow(
      `ip_pool[0].${name} is no field of this table`,
    );
  }
});

it.each(['owner', 'toString', 'constructor'])('among some fields there is no %s either', (name) => {
  expect(() => checkFields({ cpu: 1, [name]: 1 }, SOFT_FIELDS, 'vmachine')).toThrow(
    `vmachine.${name} is no field of this table`,
  );
});

it('some fields may be left out, and none may be there without a value', () => {
  expect(() => checkFields({ cpu: 1 }, SOFT_FIELDS, 'vmachine')).not.toThrow();
  expect(() => checkFields({}, SOFT_FIELDS, 'vmachine')).not.toThrow();
  expect(() => checkFields({ cpu: JSON.parse('null') }, SOFT_FIELDS, 'vmachine')).toThrow(
    'vmachine.cpu must be a number from 0 to 100, got null',
  );
});

it('of a long value the beginning is shown', () => {
  const row = { key: 'free_count', value: 'x'.repeat(10_000) };
  expect(() => checkedRow(row, SYSTEM_PARAM, 'system_params[0]')).toThrow(
    /^system_params\[0\]\.value must be a whole number from 0 to \d+, got "x{59}… \(string\)$/,
  );
});
