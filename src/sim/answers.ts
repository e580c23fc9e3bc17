import type { Absences, Telling } from './absences.ts';
import type { Scenario } from './scenario.ts';

/** What clients and hosts have published about one reply subject. */
interface Answered {
  /** The hosts that were given the request, one for each time. */
  readonly homes: string[];
  /** Undefined before the first. */
  answers: Telling[] | undefined;
}

export interface AnswersOptions {
  readonly scenario: Pick<Scenario, 'network'>;
  readonly absences: Absences;
  readonly violated: (what: string) => void;
  readonly count: (what: string) => void;
}

/**
 * R11 across hosts: whoever was given a request answers it once, however many hosts work on it. Each time that a request comes to a host
 * there may be one answer, so a repeat may have another one. The client takes the first.
 */
export class Answers {
  readonly #bySubject = new Map<string, Answered>();
  /** On a network that loses single messages, hosts cannot know what the client has. */
  readonly #isSure: boolean;
  readonly #of: AnswersOptions;

  constructor(of: AnswersOptions) {
    this.#isSure = of.scenario.network.lost === 0;
    this.#of = of;
  }

  /** A host is given a request of a client. */
  comes(reply: string, host: string): void {
    const known = this.#bySubject.get(reply);
    if (known === undefined) this.#bySubject.set(reply, { homes: [host], answers: undefined });
    else known.homes.push(host);
  }

  /** A host's answer arrives at the server. */
  answers(by: string, subject: string, atMs: number): void {
    const known = this.#bySubject.get(subject);
    if (known === undefined) return;
    const { homes, answers: before } = known;
    if (before === undefined) {
      known.answers = [{ by, atMs }];
      return;
    }
    const answers = [...before, { by, atMs }];
    known.answers = answers;
    if (answers.length <= homes.length) return;
    const { absences, count, violated } = this.#of;
    count('a request is answered twice');
    if (!this.#isSure) return;
    const unknown = before.filter((one) => homes.some((home) => absences.mayBeUnknownAt(home, one, { by, atMs })));
    if (unknown.length > 0) count('a request is answered twice by nature');
    if (answers.length - unknown.length <= homes.length) return;
    violated(`${by} answers a request that came ${homes.length} times, and has ${answers.length} answers`);
  }
}
