import { ShoalError } from '../../errors.ts';
import type { Accelerator } from '../port.ts';
import type { ImageInfo } from '../qemu/image.ts';

export type AcceleratorOption = 'auto' | Accelerator;

/** How long the same work took under one accelerator, in milliseconds; less is better. */
export interface Measurement {
  /** From `cont` to the first pong. */
  readonly bootMs: number;
  /** A ping and its pong, one at a time: the price of an exit. */
  readonly roundTripMs: number;
  /** A computation of the service: the speed of the virtual CPU. */
  readonly computeMs: number;
}

export interface HostFacts {
  /** Undefined if /dev/kvm can be used; otherwise why not. */
  readonly kvmUnusable: string | undefined;
  /** Whether this host is a virtual machine itself, so that its KVM is nested. */
  readonly nested: boolean;
}

export interface AcceleratorChoice {
  readonly accelerator: Accelerator;
  /** One sentence for `doctor`. */
  readonly why: string;
}

/**
 * Nested KVM loses only if it is this many times worse than TCG: it isolates better, so it gets the benefit of the
 * doubt.
 */
const WORSE_FACTOR = 1.5;

/**
 * The choice by what the image runs under; undefined if its profile leaves the choice open.
 * @throws RIGHTS_MISSING if it runs under KVM only, and KVM cannot be used
 */
export function chooseByProfile(
  { path, profile }: Pick<ImageInfo, 'path' | 'profile'>,
  { kvmUnusable }: HostFacts,
): AcceleratorChoice | undefined {
  const { accelerators } = profile;
  const [first = 'tcg', second] = accelerators;
  if (second === undefined) {
    if (first === 'kvm' && kvmUnusable !== undefined) throw kvmNeeded(path, kvmUnusable);
    const caution = first === 'tcg' ? '. TCG is no security boundary' : '';
    return { accelerator: first, why: `the image's profile allows ${first} only${caution}` };
  }
  return undefined;
}

function kvmNeeded(image: string, why: string): ShoalError {
  return new ShoalError(
    'RIGHTS_MISSING',
    `The profile of ${image} allows kvm only, and KVM cannot be used here (${why}): join the group of /dev/kvm, or add tcg to \`accelerators\``,
    { details: { image, path: '/dev/kvm' } },
  );
}

/** The choice without a measurement; undefined if only a measurement can tell. */
export function chooseByFacts(facts: HostFacts): AcceleratorChoice | undefined {
  if (facts.kvmUnusable !== undefined) {
    return { accelerator: 'tcg', why: `KVM cannot be used (${facts.kvmUnusable}). TCG is no security boundary` };
  }
  if (facts.nested) return undefined;
  return { accelerator: 'kvm', why: 'KVM can be used, and this host is no virtual machine' };
}

/**
 * Nested KVM stays unless the geometric mean of its factors, which favours no unit, is at least 1.5 times that of
 * TCG.
 */
export function chooseByMeasurement(kvm: Measurement, tcg: Measurement): AcceleratorChoice {
  const factors = [kvm.bootMs / tcg.bootMs, kvm.roundTripMs / tcg.roundTripMs, kvm.computeMs / tcg.computeMs];
  const factor = Math.cbrt(factors.reduce((product, one) => product * one, 1));
  const figures = `boot ${both(kvm.bootMs, tcg.bootMs)}, round trip ${both(kvm.roundTripMs, tcg.roundTripMs)}, computing ${both(kvm.computeMs, tcg.computeMs)} ms under KVM and TCG`;
  if (factor >= WORSE_FACTOR) {
    return {
      accelerator: 'tcg',
      why: `nested KVM measures ${factor.toFixed(2)} times worse than TCG (${figures}). TCG is no security boundary`,
    };
  }
  return {
    accelerator: 'kvm',
    why: `nested KVM measures ${factor.toFixed(2)} times the cost of TCG, which is less than ${WORSE_FACTOR} (${figures})`,
  };
}

function both(kvm: number, tcg: number): string {
  return `${kvm.toPrecision(3)} / ${tcg.toPrecision(3)}`;
}
