import type { Absences, Telling } from './absences.ts';
import type { Scenario } from './scenario.ts';

/** What clients and hosts have published about one reply subject. */
interface Answered {
  /** The hosts that were given the request, one for each time. */
  readonly homes: string[];
  /** Undefined before the first. */
  answers: Answer[] | undefined;
}

interface Answer extends Telling {
  /** A later one was given because whoever gave it could not know of this one. */
  isRepeated: boolean;
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
    const next: Answer = { by, atMs, isRepeated: false };
    const { homes, answers } = known;
    if (answers === undefined) {
      known.answers = [next];
      return;
    }
    const { absences, count, violated } = this.#of;
    for (const one of answers) {
      one.isRepeated ||= homes.some((home) => absences.mayBeUnknownAt(home, one, next));
    }
    answers.push(next);
    if (answers.length <= homes.length) return;
    count('a request is answered twice');
    if (!this.#isSure) return;
    const repeated = answers.filter(({ isRepeated }) => isRepeated).length;
    if (repeated > 0) count('a request is answered twice by nature');
    if (answers.length - repeated <= homes.length) return;
    violated(`${by} answers a request that came ${homes.length} times, and has ${answers.length} answers`);
  }
}
