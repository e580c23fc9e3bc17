import type { Ref } from '../actors/mod.ts';
import type { Params, RouterMessage } from '../fleet/mod.ts';
import type { ControllerMessage } from '../hypervisor/mod.ts';
import { paramsOf, type Store } from '../store/mod.ts';
import type { EndpointMessage } from '../transport/mod.ts';

/** The parameters of a running fleet: on disk first, then in force. */
export class Settings {
  readonly #store: Store;
  readonly #router: Ref<RouterMessage>;
  readonly #controller: Ref<ControllerMessage>;
  readonly #endpoint: Ref<EndpointMessage>;

  constructor(
    store: Store,
    router: Ref<RouterMessage>,
    controller: Ref<ControllerMessage>,
    endpoint: Ref<EndpointMessage>,
  ) {
    this.#store = store;
    this.#router = router;
    this.#controller = controller;
    this.#endpoint = endpoint;
  }

  get params(): Params {
    return paramsOf(this.#store.snapshot());
  }

  /**
   * Writes parameters that are put in force by other means.
   * @throws CONFIG_VALUE, STORE_WRITE_FAILED; then nothing has changed
   */
  write(values: Readonly<Record<string, number | string>>): Promise<Params> {
    return this.#store.setParams(values);
  }

  /** Running VMs keep their status interval; VMs started later have the new one. @throws as `write` */
  async set(values: Readonly<Record<string, number | string>>): Promise<Params> {
    const params = await this.write(values);
    const { statusIntervalMs, bootTimeoutMs, deadlineMs } = params;
    this.#controller.tell({ kind: 'set-parameters', parameters: { statusIntervalMs, bootTimeoutMs } });
    this.#router.tell({ kind: 'params', params });
    this.#endpoint.tell({ kind: 'default-deadline', deadlineMs });
    return params;
  }
}
