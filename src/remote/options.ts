import {
  type ActorSystem,
  checked,
  checkOptions,
  FUNCTION,
  MS_ABOVE_0,
  numberRule,
  objectWith,
  type Rules,
  required,
  rule,
  WHOLE_FROM_1,
} from '../actors/mod.ts';
import type { ErrorEnvelope } from '../errors.ts';
import { isAbout, isHostName } from './frame.ts';
import type { HostPort } from './port.ts';

export interface HostsOptions {
  readonly system: ActorSystem;
  /** The way to the other hosts, such as a connection to NATS. */
  readonly port: HostPort;
  /** The subjects of the group begin with it, such as `demo.hosts`. Hosts of one group know each other. */
  readonly group: string;
  /** The name of this host, which no other of the group has. */
  readonly host: string;
  /** What errors call this host, such as its machine and process; default: nothing. */
  readonly about?: string;
  /** How often a host gives a sign of life; default 1000. */
  readonly beatMs?: number;
  /** Silence after which a host is lost; default 3000, at least two beats. */
  readonly lostMs?: number;
  /** How long this host may be cut off itself before it counts all others as lost; default 30000. */
  readonly cutOffMs?: number;
  /** Messages to one host that are not acknowledged, beyond which `tell` returns false; default 8192. */
  readonly outboxMessagesMax?: number;
  /** Their bytes, likewise; default 16 MiB. */
  readonly outboxBytesMax?: number;
  /** Bytes on their way to one host that are not acknowledged, beyond which others wait here; default 1 MiB. */
  readonly windowBytes?: number;
  /** How many other hosts are taken notice of; default 1024. */
  readonly hostsMax?: number;
  readonly onEvent?: (event: HostEvent) => void;
}

export type HostEvent =
  /** Messages reach it, and its own reach this host. */
  | { readonly kind: 'host-up'; readonly host: string; readonly incarnation: string }
  /** The ends of its actors have been reported. */
  | {
      readonly kind: 'host-lost';
      readonly host: string;
      readonly incarnation: string;
      readonly error: ErrorEnvelope;
    }
  /** Of two hosts of one name this one came second: it is out of the group. It may be this host itself. */
  | {
      readonly kind: 'host-refused';
      readonly host: string;
      readonly incarnation: string;
      readonly error: ErrorEnvelope;
    }
  /** The server does not take a subject or a frame of the group: others may not hear this host, or it them. */
  | { readonly kind: 'port-refused'; readonly subject: string; readonly error: ErrorEnvelope }
  /** Frames that made no sense, since the last such event. */
  | { readonly kind: 'frames-damaged'; readonly count: number }
  /** A host speaks another version of the protocol, and is left alone; or there are too many hosts. */
  | { readonly kind: 'host-ignored'; readonly why: string };

/** Why a host is lost that has left in good order, in `details.why` of its `host-lost`. */
export const HAS_LEFT = 'it has left the group';

const BEAT_MS = 1_000;
const LOST_MS = 3_000;
const CUT_OFF_MS = 30_000;
const OUTBOX_MESSAGES_MAX = 8_192;
const OUTBOX_BYTES_MAX = 16 * 1024 * 1024;
const WINDOW_BYTES = 1024 * 1024;
const HOSTS_MAX = 1_024;

/** With all its defaults. */
export type HostSettings = Required<Omit<HostsOptions, 'onEvent'>>;

const FINITE_MS = numberRule('a number of milliseconds above 0', (ms) => ms > 0 && Number.isFinite(ms));

const RULES: Rules<HostsOptions> = {
  system: required(objectWith('spawn', 'start', 'logFailure')),
  port: required(objectWith('publish', 'subscribe', 'onState')),
  group: required(
    rule('tokens of letters, digits, - and _ with dots between them, such as `demo.hosts`', (value) => {
      return typeof value === 'string' && /^[\w-]+(\.[\w-]+)*$/.test(value);
    }),
  ),
  host: required(rule('a name of 1 to 100 characters without spaces and slashes', isHostName)),
  about: rule('a text of one line with at most 200 characters', isAbout),
  beatMs: FINITE_MS,
  lostMs: FINITE_MS,
  cutOffMs: MS_ABOVE_0,
  outboxMessagesMax: WHOLE_FROM_1,
  outboxBytesMax: WHOLE_FROM_1,
  windowBytes: WHOLE_FROM_1,
  hostsMax: WHOLE_FROM_1,
  onEvent: FUNCTION,
};

/** @throws CONFIG_VALUE */
export function settingsOf(options: HostsOptions): HostSettings {
  checkOptions('`joinHosts`', options, RULES);
  const { beatMs = BEAT_MS, lostMs = LOST_MS } = options;
  const expected = `at least twice \`beatMs\` (${beatMs}), or one lost beat would be a lost host`;
  checked(
    'lostMs',
    lostMs,
    numberRule(expected, (ms) => ms >= 2 * beatMs),
  );
  const { system, port, group, host } = options;
  return {
    system,
    port,
    group,
    host,
    about: options.about ?? '',
    beatMs,
    lostMs,
    cutOffMs: options.cutOffMs ?? CUT_OFF_MS,
    outboxMessagesMax: options.outboxMessagesMax ?? OUTBOX_MESSAGES_MAX,
    outboxBytesMax: options.outboxBytesMax ?? OUTBOX_BYTES_MAX,
    windowBytes: options.windowBytes ?? WINDOW_BYTES,
    hostsMax: options.hostsMax ?? HOSTS_MAX,
  };
}
