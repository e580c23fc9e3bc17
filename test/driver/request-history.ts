import { randomBytes } from 'node:crypto';
import { connect, createInbox, headers, type Msg, type NatsConnection } from 'nats';
import { eventually } from './fleet.ts';

/** One request as its client sees it. */
interface Entry {
  readonly text: string;
  readonly op: string;
  readonly expected: string;
  readonly sentMs: number;
  readonly deadlineMs: number;
  answers: number;
  /** Undefined until the first answer; `ok`, or the code of an error. */
  outcome: string | undefined;
  /** The word for why it ended. */
  reason: string | undefined;
  /** Resolves with the first answer, or when the client gives up. */
  readonly over: PromiseWithResolvers<void>;
}

/** A time in which nobody could answer, because a part was killed or stopped. */
interface Outage {
  readonly fromMs: number;
  toMs: number;
}

/** The outcomes of all requests. */
export interface Sums {
  readonly sent: number;
  readonly replied: number;
  /** Requests answered with an error, by code. */
  readonly refused: Readonly<Record<string, number>>;
  /** How each request that was answered ended, by reason. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Requests without an answer whose deadline met an outage. */
  readonly unanswered: number;
  /** Requests whose reply came again where it may. */
  readonly repeated: readonly string[];
  /** Violations of R11, in words. */
  readonly broken: readonly string[];
}

const NO_RESPONDERS = '503 nobody serves';
/** The first violations say enough. */
const BROKEN_MAX = 20;

/**
 * Records requests and their answers, as Jepsen's histories do. It uses NATS directly, because our client library would hide a second answer.
 */
export class RequestHistory {
  readonly #connection: NatsConnection;
  readonly #subject: string;
  readonly #inbox = `${createInbox()}.`;
  readonly #entries: Entry[] = [];
  readonly #outages: Outage[] = [];
  readonly #broken: string[] = [];
  readonly #repeated: string[] = [];
  readonly #mayRepeat: boolean;
  #replied = 0;

  private constructor(connection: NatsConnection, subject: string, mayRepeat: boolean) {
    this.#mayRepeat = mayRepeat;
    this.#connection = connection;
    this.#subject = subject;
    connection.subscribe(`${this.#inbox}*`, { callback: (_error, message) => this.#answer(message) });
  }

  /**
   * @param nats one address, or several separated by commas
   * @param mayRepeat whether a reply that comes again breaks nothing, if its deadline met an outage
   */
  static async open(
    { nats, subject }: { readonly nats: string; readonly subject: string },
    mayRepeat = false,
  ): Promise<RequestHistory> {
    const options = { servers: nats.split(','), maxReconnectAttempts: -1, reconnectTimeWait: 50, reconnectJitter: 0 };
    return new RequestHistory(await connect(options), subject, mayRepeat);
  }

  get replied(): number {
    return this.#replied;
  }

  /** Resolves with the outcome, or with undefined when the client gives up at the deadline. */
  async request(text: string, op: string, expected: string, deadlineMs: number): Promise<string | undefined> {
    const over = Promise.withResolvers<void>();
    const entry = {
      text,
      op,
      expected,
      sentMs: performance.now(),
      deadlineMs,
      answers: 0,
      outcome: undefined,
      reason: undefined,
      over,
    };
    const header = headers();
    header.set('Shoal-Op', op);
    header.set('Shoal-Deadline-Ms', String(deadlineMs));
    this.#connection.publish(this.#subject, text, { reply: `${this.#inbox}${this.#entries.length}`, headers: header });
    const at = this.#entries.push(entry) - 1;
    const timer = setTimeout(() => over.resolve(), deadlineMs);
    await over.promise;
    clearTimeout(timer);
    return this.#entries[at]?.outcome;
  }

  /** Starts an outage. @returns a function that ends it */
  outage(): () => void {
    const outage = { fromMs: performance.now(), toMs: Number.POSITIVE_INFINITY };
    this.#outages.push(outage);
    return () => {
      outage.toMs = performance.now();
    };
  }

  /** Resolves after that many more replies. */
  async replies(more: number): Promise<void> {
    const goal = this.#replied + more;
    await eventually(`${more} more requests are replied to`, () => (this.#replied >= goal ? true : undefined));
  }

  /** Waits for outstanding answers, adds up the outcomes and closes the connection. */
  async close(): Promise<Sums> {
    const owed = (): Entry[] => this.#entries.filter((entry) => entry.answers === 0 && !this.#metOutage(entry));
    // The looks run out only if an answer never comes; the sums then say which.
    await eventually('all are answered', () => (owed().length === 0 ? true : undefined)).catch(() => undefined);
    await this.#connection.close();
    const refused: Record<string, number> = {};
    const reasons: Record<string, number> = {};
    for (const { outcome, reason } of this.#entries) {
      if (outcome !== undefined && outcome !== 'ok') refused[outcome] = (refused[outcome] ?? 0) + 1;
      if (reason !== undefined) reasons[reason] = (reasons[reason] ?? 0) + 1;
    }
    const lost = owed().map(({ op, text }) => `never answered, though somebody was there: ${op} ${text}`);
    const unanswered = this.#entries.filter(({ answers }) => answers === 0).length - lost.length;
    const broken = [...this.#broken, ...lost].slice(0, BROKEN_MAX);
    const repeated = this.#repeated;
    return { sent: this.#entries.length, replied: this.#replied, refused, reasons, unanswered, repeated, broken };
  }

  #answer(message: Msg): void {
    const entry = this.#entries[Number(message.subject.slice(this.#inbox.length))];
    if (entry === undefined) return;
    entry.answers += 1;
    const outcome = outcomeOf(message);
    const about = `${entry.op} ${entry.text}`;
    if (entry.answers > 1) {
      const same = entry.outcome === 'ok' && outcome === 'ok' && message.string() === entry.expected;
      const list = this.#mayRepeat && same && this.#metOutage(entry) ? this.#repeated : this.#broken;
      list.push(`answered ${entry.answers} times (${entry.outcome}, ${outcome}): ${about}`);
    }
    if (entry.outcome !== undefined) return;
    entry.outcome = outcome;
    entry.reason = reasonOf(message);
    if (outcome === 'ok') this.#replied += 1;
    if (outcome === 'ok' && message.string() !== entry.expected) this.#broken.push(`another's reply: ${about}`);
    if (outcome === NO_RESPONDERS && !this.#metOutage(entry))
      this.#broken.push(`nobody there, outside of any outage: ${about}`);
    entry.over.resolve();
  }

  #metOutage({ sentMs, deadlineMs }: Entry): boolean {
    return this.#outages.some(({ fromMs, toMs }) => sentMs <= toMs && sentMs + deadlineMs >= fromMs);
  }
}

/** A reply without an error has no word of its own, and neither has what NATS itself answers. */
function reasonOf(message: Msg): string {
  if (message.headers?.code === 503) return 'no-responders';
  if ((message.headers?.get('Nats-Service-Error-Code') ?? '') === '') return 'replied';
  return message.headers?.get('Shoal-Reason') ?? '';
}

function outcomeOf(message: Msg): string {
  const code = message.headers?.get('Nats-Service-Error-Code') ?? '';
  if (code !== '')
    return `${code} ${message.headers?.get('Nats-Service-Error') ?? ''}`.replaceAll(/\d+/g, (digits) =>
      digits === code ? digits : 'N',
    );
  return message.headers?.code === 503 ? NO_RESPONDERS : 'ok';
}

export interface LoadOptions {
  readonly history: RequestHistory;
  readonly workers: number;
  readonly deadlineMs: number;
  /** A whole number from 0 to `below`, exclusive. */
  readonly random: (below: number) => number;
}

const SPIN_MS_MAX = 60;

/** Starts clients that send one request after the other until they are stopped; some requests take a while. */
export function startLoad({ history, workers, deadlineMs, random }: LoadOptions): { stop(): Promise<void> } {
  let stopped = false;
  const worker = async (): Promise<void> => {
    while (!stopped) {
      const outcome = await one();
      // pause: a client that finds nobody tries again a moment later
      if (outcome === NO_RESPONDERS) await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const one = (): Promise<string | undefined> => {
    if (random(3) === 0) {
      const ms = String(1 + random(SPIN_MS_MAX));
      return history.request(ms, 'spin', `spun ${ms}`, deadlineMs);
    }
    const text = `text ${randomBytes(6).toString('hex')}`;
    return history.request(text, 'upper', text.toUpperCase(), deadlineMs);
  };
  const done = Promise.all(Array.from({ length: workers }, worker));
  return {
    stop: async () => {
      stopped = true;
      await done;
    },
  };
}
