import { expect, test } from 'vitest';
import { disagreements, fieldsOf } from './json-fields.ts';

const SECTION = [
  '| field | type | meaning |',
  '|---|---|---|',
  '| `count` | number | how many |',
  '| `vms` | list | the VMs |',
  '| `vms[].cpu` | number or null | load |',
  '| `why` | text | may be absent |',
  '| `figures` | object | whatever |',
].join('\n');

test.each([
  ['all as documented', { count: 1, vms: [{ cpu: 1 }, { cpu: null }], figures: { x: 1 } }, []],
  ['a list without entries', { count: 1, vms: [], figures: {} }, ['vms[].cpu is documented and not printed']],
  ['another type', { count: '1', vms: [{ cpu: 1 }], figures: {} }, ['count is documented as number and is text']],
  [
    'a field too many',
    { count: 1, vms: [{ cpu: 1, ram: 2 }], figures: {} },
    ['vms[].ram is printed and not documented'],
  ],
  ['a field too few', { vms: [{ cpu: 1 }], figures: {} }, ['count is documented and not printed']],
])('%s', (_, value, expected) => {
  expect(disagreements(value, fieldsOf(SECTION))).toEqual(expected);
});
