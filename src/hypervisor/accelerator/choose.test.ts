import { describe, expect, it } from 'vitest';
import { chooseByFacts, chooseByMeasurement, type Measurement } from './choose.ts';

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
