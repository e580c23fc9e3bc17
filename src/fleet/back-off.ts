const FIRST_MS = 250;
const MAX_MS = 30_000;

/** How long to wait after so many failures in a row: nothing after the first (one is an accident), then doubling up to 30 s. */
export function backOffMs(failures: number): number {
  return failures <= 1 ? 0 : Math.min(MAX_MS, FIRST_MS * 2 ** (failures - 2));
}
