import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ShoalError } from '../../errors.ts';
import { PROFILE_FIELDS, parseProfile } from './parse-profile.ts';
import { BUILT_IN_PROFILE, isBuiltIn, SHIPPED_PROFILES } from './shipped.ts';

/** Profiles that fit together, with any of their fields left out. */
const VALID = fc.record(
  {
    machine: fc.constantFrom('pc', 'q35'),
    boot: fc.constantFrom('pvh', 'multiboot', 'linux'),
    firmware: fc.constant('qemu'),
    initrd: fc.constantFrom('initrd', '../x/y.cpio'),
    commandLine: fc.constantFrom('', 'id={id} {bind}', 'quiet'),
    memoryMib: fc.integer({ min: 1, max: 65_536 }),
    networkDevice: fc.constant('virtio-net-pci'),
    network: fc.constant('user'),
    protocol: fc.constant('http'),
    console: fc.constantFrom(
      { format: 'shoal' },
      { format: 'json', kind: 'k', names: { cpu: 'load' } },
      {
        format: 'regex',
        ready: '^up',
        status: 'cpu (?<cpu>\\d+)',
      },
    ),
    payload: fc.constantFrom('text', 'bytes'),
    idempotent: fc.boolean(),
    powerOff: fc.constantFrom({ by: 'bye' }, { by: 'exit', ask: 'powerdown' }, { by: 'isa-debug-exit', code: 33 }),
    bootTimeoutMs: fc.integer({ min: 1, max: 3_600_000 }),
    accelerators: fc.constantFrom(['tcg'], ['kvm', 'tcg'], ['tcg', 'kvm']),
    readiness: fc.constant({ path: '/ready' }),
    liveness: fc.constant({ path: '/live', intervalMs: 100, timeoutMs: 50, failures: 2 }),
  },
  { requiredKeys: ['machine', 'protocol'] },
);

function refusal(value: unknown): ShoalError {
  try {
    parseProfile(value, '/x/guest.shoal.json');
  } catch (error) {
    if (error instanceof ShoalError) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(value)} was not refused`);
}

describe('a profile', () => {
  it('that says nothing is that of the built-in image', () => {
    expect(parseProfile({}, 'test')).toEqual(BUILT_IN_PROFILE);
    expect(isBuiltIn(parseProfile({ memoryMib: 16 }, 'test'))).toBe(true);
    expect(isBuiltIn(parseProfile({ memoryMib: 17 }, 'test'))).toBe(false);
  });

  it('that comes with Shoal is read as it is', () => {
    for (const [name, profile] of Object.entries(SHIPPED_PROFILES))
      expect(parseProfile(profile, name)).toEqual(profile);
  });

  it('keeps what it says, and is read again as it was read', () => {
    fc.assert(
      fc.property(VALID, (value) => {
        const read = parseProfile(value, 'test');
        expect(parseProfile(JSON.parse(JSON.stringify(read)), 'test')).toEqual(read);
        expect(read).toMatchObject(value);
      }),
    );
  });

  it('with anything else in a field is refused, naming file and field, or means it', () => {
    fc.assert(
      fc.property(VALID, fc.constantFrom(...PROFILE_FIELDS), fc.jsonValue(), (value, field, wrong) => {
        const changed = { ...value, [field]: wrong };
        let read: unknown;
        try {
          read = parseProfile(changed, '/x/guest.shoal.json');
        } catch (error) {
          expect(error).toMatchObject({ code: 'PROFILE_INVALID', details: { profile: '/x/guest.shoal.json' } });
          expect(error).toMatchObject({ message: expect.stringContaining('The profile /x/guest.shoal.json cannot') });
          return;
        }
        expect(read).toMatchObject({ [field]: wrong });
      }),
    );
  });

  it.each([
    [[], 'the profile', '`[]` (list)'],
    [{ machine: 'vax' }, 'machine', '"microvm", "pc", "q35", got `"vax"` (string)'],
    [{ memory: 16 }, 'memory', 'There is no such field; there are machine, boot'],
    [JSON.parse('{"__proto__": {}}'), '__proto__', 'no such field'],
    [{ memoryMib: 0 }, 'memoryMib', 'a whole number from 1 to 65536, got `0` (number)'],
    [{ memoryMinMib: 17 }, 'memoryMinMib', 'at most `memoryMib`, which is 16, got `17`'],
    [{ memoryMib: '16' }, 'memoryMib', 'got `"16"` (string)'],
    [{ memoryMib: 16.5 }, 'memoryMib', 'whole'],
    [{ memoryMib: null }, 'memoryMib', 'got `null` (null)'],
    [{ commandLine: 'a={address}' }, 'commandLine', '`{address}` is none; there are {id}, {bind}'],
    [{ commandLine: 'a={' }, 'commandLine', '`{`'],
    [{ commandLine: 'a\nb' }, 'commandLine', 'printable ASCII'],
    // A guest would be told less, and nothing of its devices, which QEMU adds at the end.
    [{ commandLine: '{addr} '.repeat(280) }, 'commandLine', 'It may become 6160 characters long'],
    [{ initrd: '' }, 'initrd', 'a path'],
    [{ accelerators: [] }, 'accelerators', 'one or more of kvm, tcg'],
    [{ accelerators: ['tcg', 'tcg'] }, 'accelerators', 'each once'],
    [{ accelerators: ['xen'] }, 'accelerators[0]', '"kvm", "tcg"'],
    [{ accelerators: Array(100_000).fill('xen') }, 'accelerators[0]', '"kvm"'],
    [{ console: 'json' }, 'console', 'an object'],
    [{ console: { format: 'shoal', kind: 'k' } }, 'console.kind', 'left out'],
    [{ console: { format: 'regex', ready: 'a' } }, 'console.status', 'got nothing'],
    [{ console: { format: 'regex', ready: '(a', status: 'b' } }, 'console.ready', 'a "(" is not closed'],
    [{ console: { format: 'json', names: { load: 'x' } } }, 'console.names.load', 'no such field'],
    [{ powerOff: { by: 'isa-debug-exit', code: 66 } }, 'powerOff.code', 'odd'],
    [{ powerOff: { by: 'bye', code: 67 } }, 'powerOff.code', 'left out'],
    [{ powerOff: { by: 'exit', ask: 'powerdown' } }, 'powerOff.ask', 'no power button'],
    [{ console: { format: 'none' }, powerOff: { by: 'bye' } }, 'powerOff.by', 'says no bye'],
    [{ networkDevice: 'virtio-net-pci' }, 'networkDevice', 'microvm has no PCI'],
    [{ firmware: 'seabios' }, 'firmware', '"shoal", "qemu"'],
    [
      { firmware: 'shoal', machine: 'pc' },
      'firmware',
      'the machine microvm and boot "pvh", not for pc and "multiboot"',
    ],
    [{ firmware: 'shoal', boot: 'linux' }, 'firmware', 'not for microvm and "linux"'],
    [{ machine: 'pc', networkDevice: 'virtio-net-device' }, 'networkDevice', 'pc has PCI only'],
    [{ boot: 'chainloader' }, 'chainloader', 'got nothing'],
    [{ chainloader: 'x' }, 'chainloader', 'belongs to boot "chainloader"'],
    [{ boot: 'chainloader', chainloader: 'x', initrd: 'y' }, 'initrd', 'the image itself'],
    [{ readiness: { path: '/' } }, 'readiness', 'A probe is of HTTP'],
    [{ protocol: 'http', readiness: { path: 'x' } }, 'readiness.path', 'begins with "/"'],
    [{ protocol: 'http', liveness: {} }, 'liveness.path', 'got nothing'],
  ])('%j is refused for its field %s', (value, field, why) => {
    const error = refusal(value);
    expect(error).toMatchObject({ code: 'PROFILE_INVALID', details: { field } });
    expect(error.message).toContain(`\`${field}\``);
    expect(error.message).toContain(why);
    expect(error.message.length).toBeLessThan(600);
  });
});
