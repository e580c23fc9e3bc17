import type { Duration } from './duration.ts';
import type { NetworkFaults } from './nats-server.ts';
import type { FaultRates, Scenario } from './scenario.ts';

/** What a user has said of a scenario. It stands, whatever else decides the rest. */
export interface Given
  extends Partial<
    Pick<Scenario, 'durationMs' | 'load' | 'hosts' | 'addresses' | 'clients' | 'deadlineMs' | 'msPerUnit' | 'control'>
  > {
  readonly beats?: Scenario['beats'];
  readonly boot?: Duration;
  readonly service?: Duration;
  /** Each parameter by its name; the others stay as they are. */
  readonly params?: Scenario['params'];
  readonly faults?: Partial<FaultRates>;
  readonly network?: Partial<NetworkFaults>;
}

/** Where commands are relayed, guests change and repeat some of them. */
const HOSTILE_RELAYS = 0.2;

export function withGiven(scenario: Scenario, given: Given): Scenario {
  const { boot, service, params, faults, network, ...whole } = given;
  return {
    ...scenario,
    ...whole,
    params: { ...scenario.params, ...params },
    guest: {
      ...scenario.guest,
      ...(boot === undefined ? {} : { boot }),
      ...(service === undefined ? {} : { service }),
      ...(given.control === 'relay' ? { hostileRelays: HOSTILE_RELAYS } : {}),
    },
    faults: { ...scenario.faults, ...faults },
    network: { ...scenario.network, ...network },
  };
}
