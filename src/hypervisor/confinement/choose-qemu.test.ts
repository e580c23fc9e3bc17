import { describe, expect, it } from 'vitest';
import { chooseQemu, type QemuFacts, type QemuNeeds } from './choose-qemu.ts';

const SMALL = '/usr/bin/qemu-system-x86_64-microvm';
const FACTS: QemuFacts = { small: SMALL, obstacle: undefined };
const OBSTACLE = { why: 'no namespaces can be made', remedy: 'sysctl -w x=1' };
const NEEDS: QemuNeeds = { accelerator: 'kvm', network: 'none', profile: { machine: 'microvm' } };

describe('auto', () => {
  it('takes the small build where it can do all that is needed', () => {
    expect(chooseQemu('auto', FACTS, NEEDS)).toMatchObject({ program: SMALL, confinement: 'namespaces' });
  });

  it.each<[string, Partial<QemuNeeds>, Partial<QemuFacts>, string]>([
    ['a network', { network: 'user' }, {}, 'network `user`'],
    ['emulation', { accelerator: 'tcg' }, {}, 'not tcg'],
    ['another machine', { profile: { machine: 'q35' } }, {}, 'q35'],
    ['a host without it', {}, { small: undefined }, 'no small one'],
    ['a host on which it cannot be confined', {}, { obstacle: OBSTACLE }, OBSTACLE.why],
  ])('takes the full one for %s, and says why', (_, needs, facts, why) => {
    expect(chooseQemu('auto', { ...FACTS, ...facts }, { ...NEEDS, ...needs })).toEqual({
      program: 'qemu-system-x86_64',
      confinement: 'sandbox',
      why: expect.stringContaining(why),
    });
  });
});

describe('a build that was asked for', () => {
  const own = { program: '/opt/qemu', hasSandbox: true };

  it('confines itself if it can, and is confined if not', () => {
    expect(chooseQemu(own, FACTS, { ...NEEDS, network: 'user' })).toMatchObject({
      ...{ program: '/opt/qemu' },
      confinement: 'sandbox',
    });
    const small = { ...own, hasSandbox: false };
    expect(chooseQemu(small, FACTS, NEEDS)).toMatchObject({ program: '/opt/qemu', confinement: 'namespaces' });
  });

  it('is refused for what it cannot run, and never runs unconfined', () => {
    const small = { ...own, hasSandbox: false };
    expect(() => chooseQemu(small, FACTS, { ...NEEDS, network: 'user' })).toThrow(
      expect.objectContaining({ code: 'CONFIG_VALUE', message: expect.stringContaining('--network none') }),
    );
    expect(() => chooseQemu(small, { ...FACTS, obstacle: OBSTACLE }, NEEDS)).toThrow(
      expect.objectContaining({ code: 'RIGHTS_MISSING', message: expect.stringContaining(OBSTACLE.remedy) }),
    );
  });
});
