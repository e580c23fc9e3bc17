/** Where a VM is reached: one row of `ip_pool`. */
export interface Address {
  /** `id_ip` of the row. */
  readonly id: number;
  readonly ip: string;
  readonly port: number;
}

/** `IP:PORT`, as it stands in events and on the guest's command line. */
export function formatAddress(address: Address): string {
  return `${address.ip}:${address.port}`;
}
