import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Path of a file that comes with the guest: that of the published package, else that of the checkout.
 * @param packaged its path in `dist/guest/`
 * @param ofCheckout its path in `includeos/`
 */
export function guestFile(packaged: string, ofCheckout: string): string {
  const path = packagedGuestFile(packaged);
  return existsSync(path) ? path : fileURLToPath(new URL(`../includeos/${ofCheckout}`, import.meta.url));
}

/** Path of such a file in the published package; in a checkout there is none. */
export function packagedGuestFile(name: string): string {
  return fileURLToPath(new URL(`./guest/${name}`, import.meta.url));
}
