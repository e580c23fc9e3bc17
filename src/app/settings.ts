import { createHash } from 'node:crypto';
import type { Ref } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';
import { fleetValues, isOfHost, makeParams, type Params, type RouterMessage, writtenValues } from '../fleet/mod.ts';
import type { ControllerMessage, ImageProfile } from '../hypervisor/mod.ts';
import { paramsOf, type Store } from '../store/mod.ts';
import type { EndpointMessage } from '../transport/mod.ts';
import type { FleetParameters } from './fleet-parameters.ts';
import { VmHold } from './vm-hold.ts';

type Values = Readonly<Record<string, number | string>>;

/** What a change has come to. */
export interface Change {
  readonly params: Params;
  /** The names of the hosts that were not reached, and may have other parameters. */
  readonly unreached: readonly string[];
}

/** The images that VMs may be started from. */
export interface StartedImages {
  /** @throws CONFIG_VALUE if VMs would have too little memory */
  checkMemory(params: Params): void;
  /** VMs that are started from now on take other memory. */
  tellMemory(): void;
}

/** The other hosts of the fleet, for what each of them has to set. */
export interface OtherHosts {
  readonly fleet: FleetParameters;
  /** Sets parameters of a host's own on each host, this one included. @returns the names of those that did not answer, or could not */
  readonly setOnEach: (values: Values) => Promise<readonly string[]>;
}

const DIGEST_CHARS = 8;

/** The parameters of a running fleet: on disk first, then in force. */
export class Settings {
  readonly #store: Store;
  readonly #router: Ref<RouterMessage>;
  readonly #controller: Ref<ControllerMessage>;
  readonly #endpoint: Ref<EndpointMessage>;
  readonly #hold: VmHold;
  #others: OtherHosts | undefined;
  #images: StartedImages | undefined;

  constructor(
    store: Store,
    router: Ref<RouterMessage>,
    controller: Ref<ControllerMessage>,
    endpoint: Ref<EndpointMessage>,
    hold: VmHold = new VmHold(false),
  ) {
    this.#hold = hold;
    this.#store = store;
    this.#router = router;
    this.#controller = controller;
    this.#endpoint = endpoint;
  }

  get params(): Params {
    return paramsOf(this.#store.snapshot());
  }

  /** Of the whole fleet's parameters that are in force here: the same on two hosts if and only if these are, also on an older one. */
  get digest(): string {
    const values = Object.entries(writtenValues(fleetValues(this.params))).sort(([a], [b]) => (a < b ? -1 : 1));
    return createHash('sha256').update(JSON.stringify(values)).digest('hex').slice(0, DIGEST_CHARS);
  }

  /** The parameters of the whole fleet; undefined for a Shoal that knows of no other hosts. */
  get fleet(): FleetParameters | undefined {
    return this.#others?.fleet;
  }

  /** Whether this host keeps no VMs running, whatever its parameters say. */
  get holdsVms(): boolean {
    return this.#hold.isOn;
  }

  /** From now on no VMs are kept running, or as many as the parameters say again. VMs that run are not ended by this. */
  holdVms(on: boolean): void {
    this.#hold.set(on);
    this.#router.tell({ kind: 'params', params: this.#hold.inForce(this.params) });
  }

  /** From now on VMs may be of an image with that profile. */
  setProfile(profile: ImageProfile): void {
    this.#hold.setProfile(profile);
    this.#router.tell({ kind: 'params', params: this.#hold.inForce(this.params) });
  }

  setImages(images: StartedImages): void {
    this.#images = images;
  }

  shareWith(others: OtherHosts): void {
    this.#others = others;
  }

  /**
   * Writes parameters that are put in force by other means.
   * @throws CONFIG_VALUE, STORE_WRITE_FAILED; then nothing has changed
   */
  write(values: Values): Promise<Params> {
    return this.#store.setParams(values);
  }

  /** On this host alone. Running VMs keep their status interval and their memory; VMs started later have the new ones. @throws as `write` */
  async set(values: Values): Promise<Params> {
    const params = await this.write(values);
    this.#images?.tellMemory();
    const inForce = this.#hold.inForce(params);
    const { statusIntervalMs, bootTimeoutMs, deadlineMs } = inForce;
    this.#controller.tell({ kind: 'set-parameters', parameters: { statusIntervalMs, bootTimeoutMs } });
    this.#router.tell({ kind: 'params', params: inForce });
    this.#endpoint.tell({ kind: 'default-deadline', deadlineMs });
    return params;
  }

  /** Parameters of a host's own, on this host. @throws CONFIG_VALUE, also for those of the whole fleet; STORE_WRITE_FAILED */
  setOwn(values: Values): Promise<Params> {
    const shared = Object.keys(values).filter((name) => !isOfHost(name));
    // The message for a name that is no parameter at all is another one.
    makeParams(values, this.params);
    if (shared.length === 0) return this.set(values);
    const message = `All hosts of the fleet have the same ${shared.join(', ')}: leave --host away to set it for all`;
    throw new ShoalError('CONFIG_VALUE', message, { details: { parameters: shared } });
  }

  /**
   * On all hosts: parameters of the whole fleet by its bucket, those of a host's own on each host in reach.
   * @throws CONFIG_VALUE, PARAMS_UNAVAILABLE, PARAMS_CONFLICT: then nothing has changed; PARAMS_UNCERTAIN; STORE_WRITE_FAILED
   */
  async change(values: Values): Promise<Change> {
    const wanted = makeParams(values, this.params);
    // Only what is being set: another parameter must not be refused because of an image that came later.
    if ('vm_memory_bytes' in values) this.#images?.checkMemory(wanted);
    if (this.#others === undefined) return { params: await this.set(values), unreached: [] };
    const { fleet, setOnEach } = this.#others;
    const [own, shared] = split(values);
    const unreached = new Set<string>();
    if (Object.keys(shared).length > 0) for (const host of await fleet.set(shared)) unreached.add(host);
    if (Object.keys(own).length > 0) for (const host of await setOnEach(own)) unreached.add(host);
    return { params: this.params, unreached: [...unreached].sort() };
  }
}

function split(values: Values): readonly [own: Values, shared: Values] {
  const entries = Object.entries(values);
  return [
    Object.fromEntries(entries.filter(([name]) => isOfHost(name))),
    Object.fromEntries(entries.filter(([name]) => !isOfHost(name))),
  ];
}
