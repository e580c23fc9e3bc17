import { describe, expect, it } from 'vitest';
import { parseProfile } from '../profile/parse-profile.ts';
import { chooseByFacts, chooseByMeasurement, chooseByProfile, type HostFacts, type Measurement } from './choose.ts';

const tcg: Measurement = { bootMs: 15, roundTripMs: 0.2, computeMs: 40 };

function times(factor: number): Measurement {
  return { bootMs: 15 * factor, roundTripMs: 0.2 * factor, computeMs: 40 * factor };
}

describe('the choice of the accelerator', () => {
  it('is TCG where KVM cannot be used, and says that this isolates less', () => {
    const choice = chooseByFacts({ kvmUnusable: '/dev/kvm: EACCES', nested: true });
    expect(choice).toMatchObject({ accelerator: 'tcg' });
    expect(choice?.why).toContain('/dev/kvm: EACCES');
    expect(choice?.why).toContain('no security boundary');
  });

  it('is KVM without measuring on a machine of iron', () => {
    expect(chooseByFacts({ kvmUnusable: undefined, nested: false })).toMatchObject({ accelerator: 'kvm' });
  });

  it('has to be measured where KVM is nested', () => {
    expect(chooseByFacts({ kvmUnusable: undefined, nested: true })).toBeUndefined();
  });

  const NESTED: HostFacts = { kvmUnusable: undefined, nested: true };
  const IRON: HostFacts = { kvmUnusable: undefined, nested: false };
  const WITHOUT: HostFacts = { kvmUnusable: '/dev/kvm: EACCES', nested: true };
  const byProfile = (profile: object, facts: HostFacts) =>
    chooseByProfile({ path: '/image', profile: parseProfile(profile, 'test') }, facts);

  it('is taken without a measurement if the profile allows no other, and it says so', () => {
    for (const facts of [NESTED, IRON, WITHOUT]) {
      expect(byProfile({ accelerators: ['tcg'] }, facts)).toEqual({
        accelerator: 'tcg',
        why: "the image's profile allows tcg only. TCG is no security boundary",
      });
    }
    expect(byProfile({ accelerators: ['kvm'] }, NESTED)).toMatchObject({ accelerator: 'kvm' });
    expect(() => byProfile({ accelerators: ['kvm'] }, WITHOUT)).toThrow(
      expect.objectContaining({ code: 'RIGHTS_MISSING', message: expect.stringContaining('allows kvm only') }),
    );
  });

  it('is left open by a profile that allows both, whatever it speaks', () => {
    expect(byProfile({}, NESTED)).toBeUndefined();
    expect(byProfile({ protocol: 'http', accelerators: ['tcg', 'kvm'] }, NESTED)).toBeUndefined();
    expect(byProfile({}, WITHOUT)).toBeUndefined();
  });

  it('stays with nested KVM until it is one and a half times worse', () => {
    expect(chooseByMeasurement(times(0.5), tcg).accelerator).toBe('kvm');
    expect(chooseByMeasurement(times(1.49), tcg).accelerator).toBe('kvm');
    expect(chooseByMeasurement(times(1.51), tcg).accelerator).toBe('tcg');
  });

  it('weighs what is worse against what is better', () => {
    expect(chooseByMeasurement({ bootMs: 15, roundTripMs: 0.6, computeMs: 5 }, tcg).accelerator).toBe('kvm');
    expect(chooseByMeasurement({ bootMs: 150, roundTripMs: 1, computeMs: 20 }, tcg).accelerator).toBe('tcg');
  });

  it('says on what figures it rests', () => {
    expect(chooseByMeasurement(times(2), tcg).why).toContain('2.00 times worse');
    expect(chooseByMeasurement(times(2), tcg).why).toContain('boot 30.0 / 15.0');
  });
});
