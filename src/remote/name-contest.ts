import { ShoalError } from '../errors.ts';

/** One of two hosts of one name. */
export interface Contender {
  readonly incarnation: string;
  /** What errors call it. */
  readonly about: string;
}

export interface ContestOptions extends Contender {
  readonly group: string;
  /** Of how many seconds to come the contest keeps account. */
  readonly secondsMax: number;
}

/** Who keeps a name that two hosts have: the one that has been in the group for longer. */
export class NameContest {
  readonly #options: ContestOptions;
  /** Those that came second, by their incarnation. */
  readonly #seconds = new Set<string>();

  constructor(options: ContestOptions) {
    this.#options = options;
  }

  /** Whether this host came before another one that has its name. Of two of the same age the lower incarnation did. */
  isFirst(ageMs: number, other: Contender & { readonly ageMs: number }): boolean {
    return ageMs > other.ageMs || (ageMs === other.ageMs && this.#options.incarnation < other.incarnation);
  }

  /**
   * Whether this host keeps its name although another one, which has it too, takes itself for the first: if each does,
   * because they started together, the lower incarnation is.
   */
  keepsAgainst(incarnation: string): boolean {
    return this.#seconds.has(incarnation) && this.#options.incarnation < incarnation;
  }

  /** Keeps account of a host that came second. @returns whether it is news */
  isNews({ incarnation }: Contender): boolean {
    if (this.#seconds.has(incarnation) || this.#seconds.size >= this.#options.secondsMax) return false;
    this.#seconds.add(incarnation);
    return true;
  }

  /** @returns the error that names both */
  refusal(host: string, first: Contender, second: Contender): ShoalError {
    const both = `${named(first)}, came first; ${named(second)}, is refused`;
    const text = `Two hosts of the group ${this.#options.group} are called ${host}: ${both}`;
    return new ShoalError('HOST_NAME_TAKEN', `${text}. Give each host a name of its own`, {
      details: { host, first: first.incarnation, second: second.incarnation },
    });
  }
}

function named({ incarnation, about }: Contender): string {
  return about === '' ? `incarnation ${incarnation}` : `incarnation ${incarnation}, ${about}`;
}
