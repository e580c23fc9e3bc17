import { type Client, clientOn, ShoalError } from '../client/mod.ts';
import { BYTES_TYPE } from '../fleet/mod.ts';
import type { Checks } from './checks.ts';
import { DEADLY } from './guest.ts';
import type { History } from './history.ts';
import type { Arrival, Load } from './load.ts';
import { connectionOf, SimulatedConnection } from './nats-connection.ts';
import type { SimulatedNats } from './nats-server.ts';
import { SimulatedProcess } from './process.ts';
import type { Chance } from './random.ts';
import type { Recorder } from './report.ts';
import { requestText } from './request-text.ts';
import type { Scenario } from './scenario.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface ClientsOptions {
  readonly time: VirtualTime;
  readonly scenario: Scenario;
  readonly nats: SimulatedNats;
  readonly fleet: string;
  /** Shared with the hosts. */
  readonly chance: Chance;
  readonly history: History;
  readonly recorder: Recorder;
  readonly checks: Checks;
}

/** The inboxes of clients begin with it. */
export const INBOXES = '_INBOX.client';
/** How long a request may end after its deadline: the steps of the client's timing wheel. */
const DEADLINE_GRACE_MS = 1_000;

/** The clients of a fleet, each the client library of production. They send what the load says, and look at what comes back. */
export class Clients {
  readonly #of: ClientsOptions;
  readonly #clients: Client[] = [];
  #requests = 0;
  #open = 0;

  constructor(of: ClientsOptions) {
    this.#of = of;
  }

  /** Requests that have not ended. */
  get open(): number {
    return this.#open;
  }

  connect(): void {
    const { scenario, time, nats, chance, fleet } = this.#of;
    for (let index = 0; index < scenario.clients; index++) {
      const process = new SimulatedProcess(time, chance.stream(`client ${index}`), { place: placeOfClient(index) });
      const connection = connectionOf(new SimulatedConnection(nats, process));
      const client = clientOn(connection, {
        fleet,
        deadlineMs: scenario.deadlineMs,
        clock: process.clock,
        idPrefix: `c${index}-`,
        inbox: `${INBOXES}${index}`,
      });
      this.#clients.push(client);
    }
  }

  send(load: Load): void {
    const arrival = load.next();
    if (arrival === undefined) return;
    const { time } = this.#of;
    time.after(arrival.atMs - time.nowMs, () => {
      this.#arrive(arrival);
      this.send(load);
    });
  }

  #arrive({ bytes, units }: Arrival): void {
    const { scenario, time, chance, recorder } = this.#of;
    const number = this.#requests++;
    const client = this.#clients[number % this.#clients.length];
    if (client === undefined) return;
    const text = requestText(number, units, bytes) + (chance.happens(scenario.deadlyRequests) ? DEADLY : '');
    const isReused = number > 0 && chance.happens(scenario.reusedIds);
    const id = `r${isReused ? number - 1 - chance.below(Math.min(number, 20)) : number}`;
    this.#request(client, id, text, number);
    if (!chance.happens(scenario.repeats)) return;
    const other = this.#clients[chance.below(this.#clients.length)] ?? client;
    time.after(chance.below(2_000), () => {
      recorder.count('repeat-sent');
      this.#request(other, id, text, number);
    });
  }

  #request(client: Client, id: string, text: string, number: number): void {
    const { time, recorder, checks, history } = this.#of;
    const { deadlineMs, faults, guest } = this.#of.scenario;
    const sentMs = time.nowMs;
    this.#open += 1;
    recorder.sent();
    checks.sends(id, number);
    const ended = (): void => {
      this.#open -= 1;
      const tookMs = time.nowMs - sentMs;
      if (tookMs > deadlineMs + DEADLINE_GRACE_MS)
        checks.violated(`request ${id} ended ${tookMs} ms after it was sent`);
    };
    const contentType = `text/x-${number}`;
    const isBytes = guest.payload === 'bytes';
    client.requestBytes(Buffer.from(text), isBytes ? { id, contentType } : { id }).then(
      (reply) => {
        ended();
        const got = Buffer.from(reply.bytes).toString();
        if (got !== text) checks.violated(`request ${id} got the reply to another one: ${got.slice(0, 40)}`);
        // A guest whose ready line was lost with its console is told no type.
        const isUntold = isBytes && faults.consoleCut > 0 && reply.contentType === BYTES_TYPE;
        if (isUntold) recorder.count('a guest is told no content type');
        else if (reply.contentType !== (isBytes ? contentType : undefined))
          checks.violated(`request ${id} of ${contentType} got a reply of ${reply.contentType}`);
        recorder.succeeded(String(number), sentMs, time.nowMs);
        history.add({
          atMs: time.nowMs,
          host: '',
          what: 'reply',
          ...(reply.vm === undefined ? {} : { vm: reply.vm }),
          text: id,
        });
      },
      (error: unknown) => {
        ended();
        const code = error instanceof ShoalError ? error.code : 'unknown';
        if (code === 'unknown') time.fail(error);
        recorder.failed(String(number), code);
        history.add({ atMs: time.nowMs, host: '', what: 'error', text: `${id} ${code}` });
      },
    );
  }
}

/** By which the network knows it. */
export function placeOfClient(index: number): string {
  return `client-${index + 1}`;
}
