import type { ErrorEnvelope } from '../../errors.ts';
import type { Address } from './address.ts';
import type { VmEndReason } from './end-reason.ts';
import type { GuestReady, GuestReport } from './guest.ts';
import type { VmEnd, VmId } from './vm-id.ts';
import type { VmMemory } from './vm-memory.ts';

/** What the server tells the controller of a host. Each is obeyed at most once; repeating one changes nothing. */
export type HostCommand =
  /** QEMU is started with the CPU paused; `vm-prepared` or `vm-gone` follows. */
  | {
      readonly kind: 'prepare';
      readonly vm: VmId;
      readonly address: Address;
      /** SHA-256 of the image to make it from; default: the one that the controller was given last. */
      readonly image?: string;
    }
  /**
   * Runs a prepared spare until it is ready and has answered a ping, and stops its CPU again; only sent once the reservation is durable.
   * `vm-paused` or `vm-gone` follows, unless it is started before. One that is lost costs time only: the spare boots once it is wanted.
   */
  | { readonly kind: 'boot-spare'; readonly vm: VmId }
  /** Runs a prepared VM; only sent once the reservation is durable. `vm-booting`, then `vm-answering` or `vm-gone` follow. */
  | { readonly kind: 'start'; readonly vm: VmId }
  /**
   * Asks on the console, then by QMP, SIGTERM and SIGKILL, each bounded. `vm-gone` follows, also for a VM that the host has never heard of or
   * that is gone already: the command is repeated until then.
   */
  | { readonly kind: 'stop'; readonly vm: VmId; readonly reason: VmEndReason; readonly why: string }
  /** A command is on its way through the guest of this VM (R10): its console is looked at often for a moment. */
  | { readonly kind: 'listen'; readonly vm: VmId };

/** What a controller tells the server. */
export type HostEvent =
  | {
      readonly kind: 'vm-prepared';
      readonly vm: VmId;
      readonly pid: number;
      /** SHA-256 of the image that it is made from. */
      readonly imageDigest?: string;
      readonly memory?: VmMemory;
    }
  /** A spare has booted, and stands still. */
  | { readonly kind: 'vm-paused'; readonly vm: VmId }
  | { readonly kind: 'vm-booting'; readonly vm: VmId }
  /** The guest's ready line was read and agrees with what it was told: a link may connect. */
  | { readonly kind: 'vm-answering'; readonly vm: VmId; readonly guest: GuestReady }
  | {
      readonly kind: 'vm-report';
      readonly vm: VmId;
      readonly report: GuestReport;
      /** Milliseconds since the epoch, when the line was read. */
      readonly atMs: number;
    }
  /** The process is confirmed gone and its run directory removed. */
  | {
      readonly kind: 'vm-gone';
      readonly vm: VmId;
      readonly end: VmEnd;
      readonly error?: ErrorEnvelope;
    }
  /** A VM of an earlier Shoal was found and is ours again. */
  | {
      readonly kind: 'vm-adopted';
      readonly vm: VmId;
      readonly address: Address;
      readonly pid: number;
      /** SHA-256 of the image that it runs. */
      readonly imageDigest?: string;
      readonly memory?: VmMemory;
      /** Milliseconds since the epoch, when its QEMU was started. */
      readonly startedMs: number;
      readonly state: 'prepared' | 'booting' | 'answering' | 'stopping';
      /** Of a prepared one: it has booted before, and stands still. */
      readonly isPaused?: true;
      /** How often it was told to report, if its manifest says so. */
      readonly statusIntervalMs?: number;
    }
  /**
   * The host is in reach, and has told of what it adopted. `vms` is what it has now, if it says: any other VM that it had prepared for us is
   * gone. `census`: that of the router that asked for it; absent if the controller tells by itself.
   */
  | { readonly kind: 'host-up'; readonly vms?: readonly VmId[]; readonly census?: number }
  /** The controller is out of reach. What its VMs do is unknown from here on. */
  | { readonly kind: 'host-down'; readonly why: string }
  /** At a steady interval. A host that has told once and falls silent for `last_connect_ms` is out of reach. */
  | {
      readonly kind: 'host-stats';
      /** Bytes that a new process could have without swapping (`MemAvailable`). */
      readonly availableBytes: number;
      /** Bytes that one VM takes, QEMU's own included. */
      readonly vmBytes: number;
    };
