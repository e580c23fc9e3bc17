/** Generous: it only passes when something is wrong. */
const PATIENCE_MS = 60_000;

/** How long a probe of a test on real QEMU waits for a message, however slow the machine. */
export function patience(): Promise<void> {
  // pause: until the message comes; the probe stops waiting then
  return new Promise((resolve) => setTimeout(resolve, PATIENCE_MS).unref());
}
