/**
 * What a connection over a port begins with: known to Shoal and the guest, and to no client, since it is made from the
 * VM's uuid.
 */
export function linkKeyOf(uuid: string): string {
  return uuid.replaceAll('-', '');
}
