import type { ErrorEnvelope } from '../errors.ts';
import type { Address } from './address.ts';
import type { GuestReady, GuestReport, VmEnd, VmId } from './vm.ts';

/** What the server tells the controller of a host. Each is obeyed at most once; repeating one changes nothing. */
export type HostCommand =
  /** QEMU is started with the CPU paused; `vm-prepared` or `vm-gone` follows. */
  | { readonly kind: 'prepare'; readonly vm: VmId; readonly address: Address }
  /** Runs a prepared VM; only sent once the reservation is durable. `vm-booting`, then `vm-answering` or `vm-gone` follow. */
  | { readonly kind: 'start'; readonly vm: VmId }
  /** Asks on the console, then by QMP, SIGTERM and SIGKILL, each bounded. `vm-gone` follows. */
  | { readonly kind: 'stop'; readonly vm: VmId; readonly why: string };

/** What a controller tells the server. */
export type HostEvent =
  | { readonly kind: 'vm-prepared'; readonly host: string; readonly vm: VmId; readonly pid: number }
  | { readonly kind: 'vm-booting'; readonly host: string; readonly vm: VmId }
  /** The guest's ready line was read and agrees with what it was told: a link may connect. */
  | { readonly kind: 'vm-answering'; readonly host: string; readonly vm: VmId; readonly guest: GuestReady }
  | {
      readonly kind: 'vm-report';
      readonly host: string;
      readonly vm: VmId;
      readonly report: GuestReport;
      /** Milliseconds since the epoch, when the line was read. */
      readonly atMs: number;
    }
  /** The process is confirmed gone and its run directory removed. */
  | {
      readonly kind: 'vm-gone';
      readonly host: string;
      readonly vm: VmId;
      readonly end: VmEnd;
      readonly error?: ErrorEnvelope;
    }
  /** A VM of an earlier Shoal was found and is ours again. */
  | {
      readonly kind: 'vm-adopted';
      readonly host: string;
      readonly vm: VmId;
      readonly address: Address;
      readonly pid: number;
      /** Milliseconds since the epoch, when its QEMU was started. */
      readonly startedMs: number;
      readonly state: 'prepared' | 'booting' | 'answering' | 'stopping';
    };
