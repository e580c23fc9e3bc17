import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../actors/kit/mod.ts';
import { codeOf, ShoalError } from '../errors.ts';
import { documentFromBytes, documentToText } from './document-text.ts';
import { MemoryDisk, openMemoryStore } from './memory-store.ts';
import { anyChange } from './testing/any-change.ts';
import { AT_MS, newAddresses, vmRow } from './testing/rows.ts';

const PATH = '/data/store.json';

/** Two addresses, VM 1 with its row on the first, VM 2 with a reservation of the second. */
const good = {
  format: 'shoal-store',
  version: 2,
  next_id_vmachine: 3,
  system_params: [{ key: 'free_count', value: 7 }],
  ip_pool: newAddresses(2).map((row) => ({
    ...row,
    reserve: true,
    last_reserve: AT_MS,
    vm: row.id_ip,
    retired: false,
  })),
  vmachine: [vmRow(1, 1)],
};

describe('a file that is whole', () => {
  it('is read', () => {
    const { format, version, ...content } = good;
    expect(read(JSON.stringify(good))).toEqual(content);
  });

  it('of version 1 is read as one in which no address is retired', () => {
    const { format, version, ...content } = good;
    const before = { ...good, version: 1, ip_pool: good.ip_pool.map(({ retired, ...row }) => row) };
    expect(read(JSON.stringify(before))).toEqual(content);
  });

  it('says the same after any history of changes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyChange(), { maxLength: 30 }), async (changes) => {
        const disk = new MemoryDisk();
        const store = await openMemoryStore({ clock: new ManualClock(), disk });
        await store.addAddresses(newAddresses(3));
        await Promise.allSettled(changes.map((change) => change.make(store)));
        expect(read(documentToText(disk.document))).toEqual(disk.document);
      }),
    );
  });
});

describe('a file that is damaged', () => {
  const whole = JSON.stringify(good);

  it.each([
    ['empty', '', 'line 1'],
    ['blank', '\n\n', 'line 1'],
    ['cut short', '{"format":"shoal-store",\n"version":1,', 'line 2, column 13'],
    ['with a letter too many', '{"format":"shoal-store",\n"version":x1}', 'line 2, column 11'],
    ['with a comma too many', '{"format":"shoal-store",\n"version":1,}', 'line 2, column 13'],
    ['with something behind it', `${whole}\n}`, 'line 2, column 1'],
  ])('%s: says where', (_what, text, position) => {
    expect(refusal(text)).toMatchObject({ code: 'STORE_DAMAGED', details: { path: PATH, position } });
  });

  it('says what is wrong and what to do', () => {
    const { message } = refusal('{"format":"shoal-store",\n"version":x1}');
    expect(message).toMatch(
      /\/data\/store\.json are damaged: line 2, column 11 .*left as it is.*put a copy.*empty tables/s,
    );
  });

  it.each([
    ['no version', { ...good, version: undefined }, 'version'],
    ['version', { ...good, version: '1' }, 'version'],
    ['counter', { ...good, next_id_vmachine: 0 }, 'next_id_vmachine'],
    ['no table', { ...good, vmachine: undefined }, 'vmachine'],
    ['no list', { ...good, ip_pool: {} }, 'ip_pool'],
    ['part too many', { ...good, vms: [] }, 'vms'],
    ['no row', { ...good, vmachine: [null] }, 'vmachine[0]'],
    ['negative figure', { ...good, vmachine: [vmRow(1, 1, { ram: -1 })] }, 'vmachine[0].ram'],
    ['text for a figure', withAddress({ port: '9000' }), 'ip_pool[0].port'],
    ['port', withAddress({ port: 65_536 }), 'ip_pool[0].port'],
    ['address', withAddress({ ip: '127.0.0.256' }), 'ip_pool[0].ip'],
    ['field missing', withAddress({ reserve: undefined }), 'ip_pool[0].reserve'],
    ['field too many', withAddress({ color: 'red' }), 'ip_pool[0].color'],
    ['state', { ...good, vmachine: [{ ...vmRow(1, 1), state: 'toString' }] }, 'vmachine[0].state'],
    ['id twice', withAddress({ id_ip: 2 }), 'ip_pool[1].id_ip'],
    ['address twice', withAddress({ ip: '127.0.10.2' }), 'ip_pool[1].host+ip+port'],
    ['VM twice', { ...good, vmachine: [vmRow(1, 1), vmRow(1, 2)] }, 'vmachine[1].id_vmachine'],
    ['two VMs on an address', { ...good, vmachine: [vmRow(1, 1), vmRow(2, 1)] }, 'vmachine[1].id_ip'],
    ['two addresses of a VM', withAddress({ vm: 2 }), 'ip_pool[1].vm'],
    ['missing address', { ...good, vmachine: [vmRow(1, 3)] }, 'vmachine[0].id_ip'],
    ['row on the address of another', { ...good, vmachine: [vmRow(1, 2)] }, 'vmachine[0].id_ip'],
    ['row on a free address', withAddress({ reserve: false, vm: null }), 'vmachine[0].id_ip'],
    ['reserved for nobody', withAddress({ vm: null }), 'ip_pool[0].vm'],
    ['retired, with no VM', withAddress({ reserve: false, vm: null, retired: true }), 'ip_pool[0].retired'],
    ['held but not reserved', withAddress({ reserve: false }), 'ip_pool[0].vm'],
    ['id that is given again', { ...good, next_id_vmachine: 2 }, 'ip_pool[1].vm'],
    [
      'parameter twice',
      { ...good, system_params: [...good.system_params, ...good.system_params] },
      'system_params[1].key',
    ],
    ['unknown parameter', { ...good, system_params: [{ key: 'none', value: 1 }] }, 'system_params'],
    ['parameter out of range', { ...good, system_params: [{ key: 'free_count', value: 0 }] }, 'system_params'],
  ])('%s: names the field', (_what, content, position) => {
    expect(refusal(JSON.stringify(content))).toMatchObject({ code: 'STORE_DAMAGED', details: { position } });
  });

  it('is refused or read, whatever is done to it, and nothing else happens', () => {
    const bytes = new TextEncoder().encode(documentToText(read(whole)));
    const damage = fc.record({ at: fc.nat(bytes.length - 1), byte: fc.nat(255), end: fc.nat(bytes.length) });
    fc.assert(
      fc.property(damage, ({ at, byte, end }) => {
        const damaged = bytes.slice(0, end);
        if (at < end) damaged[at] = byte;
        try {
          documentFromBytes(damaged, PATH);
        } catch (error) {
          expect(codeOf(error)).toMatch(/^STORE_(DAMAGED|FOREIGN|NEWER)$/);
        }
      }),
    );
  });

  it('and is no UTF-8 is refused too', () => {
    const bytes = new TextEncoder().encode(whole);
    bytes[20] = 0xff;
    expect(refusalOf(bytes)).toMatchObject({ code: 'STORE_DAMAGED' });
  });
});

describe('a file that is not ours to write', () => {
  it.each([
    [
      'another format',
      '{"format":"tea"}',
      /its format is "tea", not "shoal-store".*left as it is.*another data directory/,
    ],
    ['no format', '{"version":1}', /names no format/],
    ['no document', '[1,2]', /names no format/],
  ])('%s is foreign', (_what, text, message) => {
    const error = refusal(text);
    expect(error).toMatchObject({ code: 'STORE_FOREIGN', details: { path: PATH } });
    expect(error.message).toMatch(message);
  });

  it('of a higher version is newer, whatever else stands in it', () => {
    const error = refusal('{"format":"shoal-store","version":3,"tables":{}}');
    expect(error).toMatchObject({ code: 'STORE_NEWER', details: { path: PATH, version: 3, versionMax: 2 } });
    expect(error.message).toMatch(/newer Shoal: version 3, while this one reads 2.*left as it is/);
  });
});

function withAddress(values: object): object {
  return { ...good, ip_pool: [{ ...good.ip_pool[0], ...values }, good.ip_pool[1]] };
}

function read(text: string) {
  return documentFromBytes(new TextEncoder().encode(text), PATH);
}

function refusal(text: string): ShoalError {
  return refusalOf(new TextEncoder().encode(text));
}

function refusalOf(bytes: Uint8Array): ShoalError {
  try {
    documentFromBytes(bytes, PATH);
  } catch (error) {
    if (error instanceof ShoalError) return error;
    throw error;
  }
  throw new Error('the file was not refused');
}
