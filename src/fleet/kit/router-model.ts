import type { FleetSnapshot } from '../state/snapshot.ts';
import type { Outcome } from '../values/request.ts';
import type { FakeClient } from './fake-fleet.ts';
import type { FaultyFleet, Pending } from './faulty-fleet.ts';

/** A request as the model knows it. */
interface Sent {
  readonly client: FakeClient;
  readonly text: string;
  /** Told at once when it came, and therefore never open. */
  readonly isImmediate: boolean;
  /** When it had been told, and how long its reply was to be kept then. */
  ended: { readonly atMs: number; readonly dedupMs: number } | undefined;
}

/** What becomes of a request when it has come; `any` where the moment decides. */
type Expected =
  | { readonly kind: 'refused' | 'joins' | 'new' | 'any' }
  | { readonly kind: 'stored'; readonly outcome: Outcome };

/** The router looks at deadlines that often while a request is open. */
const LOOK_MS = 100;
/** Within a step of the test the time of an end is known no better. */
const STEP_MS = 6_000;
const OF_THE_MOMENT: readonly number[] = [499, 503, 504];

/** What must hold of a router whatever happens: which requests are open, which repeat which, and which VMs and addresses there may be. */
export class RouterModel {
  /** Under the names of the table. */
  params: Readonly<Record<string, number>>;
  addresses: number;
  /** Deploys that were asked for. */
  deploys = 0;
  pending: Pending;
  readonly #sent: Sent[] = [];

  constructor(params: Readonly<Record<string, number>>, addresses: number, pending: Pending) {
    this.params = params;
    this.addresses = addresses;
    this.pending = pending;
  }

  /** How many VMs run at least once all is well. */
  get aim(): number {
    return Math.min(this.params['min_vm_count'] ?? 0, this.addresses);
  }

  /** What follows for a request of that id and text from those that came before it (R11). */
  expects(requestId: string, text: string, nowMs: number): Expected {
    const same = this.#sent.filter(({ client, isImmediate }) => client.request.requestId === requestId && !isImmediate);
    const open = same.filter(({ client }) => client.outcomes.length === 0);
    // One that is past its deadline may end just then.
    const live = open.find(({ client }) => client.request.deadlineMs > nowMs);
    if (open.length > 0) return { kind: live === undefined ? 'any' : live.text === text ? 'joins' : 'refused' };
    const last = same.findLast(({ client: { outcomes } }) => outcomes.some(isFinal));
    const outcome = last?.client.outcomes[0];
    // A VM may still have answered what was too late for its client: that is stored, too.
    if (last?.ended === undefined || outcome === undefined) return { kind: same.length === 0 ? 'new' : 'any' };
    const { atMs, dedupMs } = last.ended;
    if (dedupMs === 0 || nowMs >= atMs + dedupMs - STEP_MS) return { kind: 'any' };
    return last.text === text ? { kind: 'stored', outcome } : { kind: 'refused' };
  }

  sent(client: FakeClient, text: string): void {
    this.#sent.push({ client, text, isImmediate: client.outcomes.length > 0, ended: undefined });
  }

  /** Notes what has become of all that was open. */
  look(faulty: FaultyFleet): void {
    this.pending = faulty.pending;
    const atMs = faulty.fleet.kit.clock.monotonic();
    for (const sent of this.#sent) {
      if (sent.client.outcomes.length > 0) sent.ended ??= { atMs, dedupMs: this.params['dedup_ms'] ?? 0 };
    }
  }

  /** What is wrong with the clients: each is told once, in time, and no other request's reply. */
  wrongClients(nowMs: number, hasLooked: boolean): readonly string[] {
    return this.#sent.flatMap(({ client: { request, outcomes }, text }) => {
      const [outcome] = outcomes;
      const name = `request ${request.requestId} "${text}"`;
      if (outcomes.length > 1) return [`${name} was answered ${outcomes.length} times`];
      if (outcome?.ok === true && new TextDecoder().decode(outcome.payload) !== text) return [`${name} got another's`];
      const isOverdue = hasLooked && outcome === undefined && request.deadlineMs <= nowMs - LOOK_MS;
      return isOverdue ? [`${name} waits beyond its deadline`] : [];
    });
  }

  /** What is wrong with the VMs and addresses. */
  wrongFleet({ vms, addresses, addresses_free, waiting }: FleetSnapshot): readonly string[] {
    const ids = vms.map((vm) => vm.id_ip);
    const open = this.#sent.filter(({ client }) => client.outcomes.length === 0).length;
    return [
      ...(new Set(ids).size < ids.length ? [`two VMs hold one address: ${ids}`] : []),
      ...(ids.some((id) => id < 1 || id > this.addresses) ? [`a VM holds an address that does not exist: ${ids}`] : []),
      ...(addresses === this.addresses ? [] : [`there are ${addresses} addresses, not ${this.addresses}`]),
      ...(addresses_free > addresses - vms.length
        ? [`${addresses_free} addresses are free beside ${vms.length} VMs`]
        : []),
      ...(waiting > open ? [`${waiting} requests wait, and ${open} are open`] : []),
    ];
  }
}

function isFinal(outcome: Outcome): boolean {
  return outcome.ok || !OF_THE_MOMENT.includes(outcome.status);
}
