import type { Accelerator } from '../port.ts';

export type AcceleratorOption = 'auto' | Accelerator;

/** How long one accelerator took for the same things, milliseconds; less is better. */
export interface Measurement {
  /** From `cont` to the first pong. */
  readonly bootMs: number;
  /** A ping and its pong, one at a time: the price of an exit. */
  readonly roundTripMs: number;
  /** Work of the service: what the virtual CPU is worth. */
  readonly computeMs: number;
}

export interface HostFacts {
  /** Undefined if /dev/kvm can be used; otherwise why not. */
  readonly kvmUnusable: string | undefined;
  /** Whether this host is a virtual machine itself, so that its KVM is one within another. */
  readonly nested: boolean;
}

export interface AcceleratorChoice {
  readonly accelerator: Accelerator;
  /** One sentence for `doctor`. */
  readonly why: string;
}

/** How much worse than TCG a nested KVM must be to lose: it isolates better, so it gets the benefit of the doubt. */
const WORSE_FACTOR = 1.5;

/** What is known without measuring; undefined if only a measurement can tell. */
export function chooseByFacts(facts: HostFacts): AcceleratorChoice | undefined {
  if (facts.kvmUnusable !== undefined) {
    return { accelerator: 'tcg', why: `KVM cannot be used (${facts.kvmUnusable}). TCG is no security boundary` };
  }
  if (facts.nested) return undefined;
  return { accelerator: 'kvm', why: 'KVM can be used, and this host is no virtual machine' };
}

/** Nested KVM stays unless it is at least 1.5 times worse on the whole: the geometric mean of its factors, which favours no unit. */
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
