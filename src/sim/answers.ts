import type { Scenario } from './scenario.ts';

/** What clients and hosts have published about one reply subject. */
interface Answered {
  /** How often a host was given the request. */
  came: number;
  /** How often a host has answered it. */
  answers: number;
}

/**
 * R11 across hosts: whoever was given a request answers it once, however many hosts work on it. Each time that a request comes to a host
 * there may be one answer, so a repeat may have another one. The client takes the first.
 */
export class Answers {
  readonly #bySubject = new Map<string, Answered>();
  /**
   * On a network that loses single messages, hosts cannot know what the client has. A host that is cut off sends what it had to say when it is
   * back, as nats.js keeps it until then.
   */
  readonly #isSure: boolean;
  readonly #violated: (what: string) => void;
  readonly #count: (what: string) => void;

  constructor(
    { network, faults }: Pick<Scenario, 'network' | 'faults'>,
    violated: (what: string) => void,
    count: (what: string) => void,
  ) {
    const { hostMute, hostDeaf, split, partition } = faults;
    this.#isSure = network.lost + network.late + hostMute + hostDeaf + split + partition === 0;
    this.#violated = violated;
    this.#count = count;
  }

  /** A host is given a request of a client. */
  comes(reply: string): void {
    const known = this.#bySubject.get(reply);
    if (known === undefined) this.#bySubject.set(reply, { came: 1, answers: 0 });
    else known.came += 1;
  }

  /** A host publishes to this subject. */
  answers(host: string, subject: string): void {
    const known = this.#bySubject.get(subject);
    if (known === undefined) return;
    known.answers += 1;
    if (known.answers <= known.came) return;
    this.#count('a request is answered twice');
    if (this.#isSure) {
      this.#violated(`${host} answers a request that came ${known.came} times, and has ${known.answers} answers`);
    }
  }
}
