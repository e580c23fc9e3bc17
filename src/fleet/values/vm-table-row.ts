import type { Address } from './address.ts';
import type { GuestReport } from './guest.ts';
import type { VmId, VmState } from './vm-id.ts';

/** A VM's row in `vmachine` as it is first written (R7). */
export interface VmTableRow {
  readonly vm: VmId;
  readonly address: Address;
  readonly host: string;
  readonly state: VmState;
  readonly report: GuestReport;
  readonly freeCount: number;
  /** Of its QEMU; undefined if the host has not told. */
  readonly pid: number | undefined;
  /** SHA-256 of the image that it runs; undefined if the host has not told. */
  readonly imageDigest: string | undefined;
  /** Milliseconds since the epoch. */
  readonly lastConnectMs: number;
  readonly startedMs: number;
}

/** The fields of a row that may be lost in a crash. */
export type VmTableUpdate = Pick<VmTableRow, 'state' | 'report' | 'freeCount' | 'lastConnectMs'>;
