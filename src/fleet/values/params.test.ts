import { describe, expect, it } from 'vitest';
import { codeOf } from '../../errors.ts';
import { makeParams, PARAMETERS, paramsTable, paramText } from './params.ts';

describe('the parameters', () => {
  it('have the names and defaults of the design', () => {
    expect(paramsTable(makeParams())).toEqual({
      free_count: 5,
      min_vm_count: 1,
      last_connect_ms: 5_000,
      ip_reserve_ms: 15_000,
      status_interval_ms: 1_000,
      boot_timeout_ms: 10_000,
      idle_cpu_percent: 5,
      vm_requests_max: 1,
      vm_backlog_max: 16,
      router_queue_max: 10_000,
      deadline_ms: 30_000,
      dedup_ms: 60_000,
      stuck_ms: 5_000,
      spare_vm_count: 0,
      spare_state: 0,
      host_memory_reserve_bytes: 512 * 1024 * 1024,
      vm_memory_bytes: 0,
    });
  });

  it('stand for one field each', () => {
    const keys = Object.values(PARAMETERS).map((definition) => definition.key);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.sort()).toEqual(Object.keys(makeParams()).sort());
  });

  it('are taken as numbers and as text, over what is there', () => {
    const base = makeParams({ min_vm_count: 3 });
    expect(makeParams({ free_count: ' 7 ' }, base)).toEqual({ ...base, freeCount: 7 });
  });

  it('count the memory of a VM in whole MiB, and name the next ones', () => {
    expect(makeParams({ vm_memory_bytes: 24 * 2 ** 20 }).vmMemoryBytes).toBe(24 * 2 ** 20);
    expect(() => makeParams({ vm_memory_bytes: String(16 * 2 ** 20 + 1) })).toThrow(
      'Expected vm_memory_bytes to be a multiple of 1048576, got "16777217"; the next ones are 16777216 and 17825792',
    );
  });

  it.each([
    ['vm_memory_bytes', '64MiB', 'a whole number of bytes from 0 '],
    ['deadline_ms', '5s', 'a whole number of milliseconds from 1 '],
    ['free_count', 'two', 'a whole number from 1 '],
  ])('say the unit of %s to whoever writes %s', (name, value, wanted) => {
    expect(() => makeParams({ [name]: value })).toThrow(`Expected ${name} to be ${wanted}`);
  });

  it.each([
    ['vm_memory_bytes', 65_537 * 2 ** 20],
    ['free_count', 0],
    ['free_count', 1.5],
    ['free_count', Number.NaN],
    ['free_count', Number.POSITIVE_INFINITY],
    ['free_count', '-1'],
    ['free_count', '1e3'],
    ['free_count', ''],
    ['free_count', '0x10'],
    ['idle_cpu_percent', 101],
    ['min_vm_count', -1],
    ['deadline_ms', 2 ** 53],
  ])('are refused with the name and the value: %s %s', (name, value) => {
    const attempt = () => makeParams({ [name]: value });
    expect(attempt).toThrow(new RegExp(`Expected ${name} to be a whole number( of \\w+)? from \\d+ to \\d+, got`));
    expect(codeOf(thrown(attempt))).toBe('CONFIG_VALUE');
  });

  it.each(['min_vm', '__proto__', 'constructor'])('are refused when there is none of that name: %s', (name) => {
    expect(() => makeParams(JSON.parse(`{"${name}": 1}`))).toThrow(/^There is no parameter/);
  });

  it('are checked together: silence is at least three reports, a reservation outlives a boot', () => {
    expect(() => makeParams({ status_interval_ms: 2_000 })).toThrow(/last_connect_ms to be at least 3 times/);
    expect(makeParams({ status_interval_ms: 2_000, last_connect_ms: 6_000 })).toMatchObject({ lastConnectMs: 6_000 });
    expect(() => makeParams({ boot_timeout_ms: 15_000 })).toThrow(/ip_reserve_ms to be above boot_timeout_ms/);
    expect(makeParams({ boot_timeout_ms: 15_000, ip_reserve_ms: 15_001 })).toMatchObject({ bootTimeoutMs: 15_000 });
  });

  it('take the words of people for a value that is no figure, and say what there is', () => {
    expect(makeParams({ spare_state: 'booted' }).spareState).toBe(1);
    expect(makeParams({ spare_state: ' prepared ' }).spareState).toBe(0);
    expect(makeParams({ spare_state: 1 }).spareState).toBe(1);
    expect(paramText('spare_state', 1)).toBe('booted');
    expect(paramText('spare_vm_count', 1)).toBe('1');
    expect(() => makeParams({ spare_state: 'warm' })).toThrow(
      'Expected spare_state to be prepared or booted, got "warm"',
    );
    expect(() => makeParams({ spare_state: 2 })).toThrow('spare_state');
  });
});

function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}
