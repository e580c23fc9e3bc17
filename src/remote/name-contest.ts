import { ShoalError } from '../errors.ts';

/** One of two hosts of one name. */
export interface Contender {
  readonly incarnation: string;
  /** What errors call it. */
  readonly about: string;
}

interface ContestOptions extends Contender {
  readonly group: string;
  /** Of how many latecomers the contest keeps account. */
  readonly latecomersMax: number;
}

interface Latecomer extends Contender {
  readonly host: string;
  isTold: boolean;
}

/** Who keeps a name that two hosts have: the one that has been in the group for longer. */
export class NameContest {
  readonly #options: ContestOptions;
  /** Those that came second, by their incarnation; the one that was heard last is the last. */
  readonly #latecomers = new Map<string, Latecomer>();

  constructor(options: ContestOptions) {
    this.#options = options;
  }

  /** Whether this host came before another one that has its name. Of two of the same age the lower incarnation did. */
  isFirst(ageMs: number, other: Contender & { readonly ageMs: number }): boolean {
    return ageMs > other.ageMs || (ageMs === other.ageMs && this.#options.incarnation < other.incarnation);
  }

  /**
   * Whether this host has told that one that it came second. It stays with that, though it may find out in the next moment that it stood
   * still for too long: the other one has gone by then, and nobody would have the name.
   */
  hasRefused(incarnation: string): boolean {
    return this.#latecomers.has(incarnation);
  }

  /**
   * Whether this host keeps its name although another one, which has it too, takes itself for the first: if each does,
   * because they started together, the lower incarnation is.
   */
  keepsAgainst(incarnation: string): boolean {
    return this.#latecomers.has(incarnation) && this.#options.incarnation < incarnation;
  }

  /** A host has beaten under a name that another one has. */
  came(host: string, { incarnation, about }: Contender): void {
    const latecomer = this.#latecomers.get(incarnation) ?? { host, incarnation, about, isTold: false };
    this.#latecomers.delete(incarnation);
    this.#latecomers.set(incarnation, latecomer);
    const [first] = this.#latecomers.keys();
    if (first !== undefined && this.#latecomers.size > this.#options.latecomersMax) this.#latecomers.delete(first);
  }

  /** The host that has a name is there, so those that came second are refused. @returns those not told of so far */
  news(host: string): readonly Contender[] {
    const news = [...this.#latecomers.values()].filter((latecomer) => latecomer.host === host && !latecomer.isTold);
    for (const latecomer of news) latecomer.isTold = true;
    return news;
  }

  /** Another host has the name now, so the contest for it begins anew. */
  taken(host: string): void {
    for (const [incarnation, latecomer] of this.#latecomers) {
      if (latecomer.host === host) this.#latecomers.delete(incarnation);
    }
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
