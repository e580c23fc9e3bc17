import { expect, it } from 'vitest';
import { addAddresses } from './changes.ts';
import { EMPTY_DOCUMENT, ROWS_MAX } from './document.ts';
import { TableState } from './table-state.ts';
import { freeRow, newAddress } from './testing/rows.ts';

it('a pool has room for so many addresses, and one more is refused', () => {
  const one = freeRow(1);
  const almost = Array.from({ length: ROWS_MAX - 1 }, (_, at) => ({ ...one, id_ip: at + 1 }));
  const state = TableState.of({ ...EMPTY_DOCUMENT, ip_pool: almost });
  const [last, further] = [ROWS_MAX, ROWS_MAX + 1].map((id) => ({ ...newAddress(2), id_ip: id, port: 1 + (id % 2) }));
  if (last === undefined || further === undefined) throw new Error('there are two');
  expect(() => addAddresses(state, [last, further])).toThrow(`at most ${ROWS_MAX} are allowed`);
  expect(addAddresses(state, [last])).toBe(1);
  expect(() => addAddresses(state, [further])).toThrow(`at most ${ROWS_MAX} are allowed`);
});
