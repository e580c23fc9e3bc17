export const IN_FLIGHT = 256;
/** A fleet that takes that many requests at a time. */
export const BUSY_FLAGS = ['--min', '4', '--set', 'vm_requests_max=64'];

/** Sends that many requests, 256 in flight at a time. @returns the time it took, in milliseconds */
export async function manyRequests(requests: number, one: () => Promise<unknown>): Promise<number> {
  let sent = 0;
  const worker = async (): Promise<void> => {
    while (sent < requests) {
      sent += 1;
      await one();
    }
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return performance.now() - startMs;
}

/** The same as a rate. */
export async function perSecond(requests: number, one: () => Promise<unknown>): Promise<number> {
  return requests / ((await manyRequests(requests, one)) / 1000);
}

/** Sends that many requests, one after the other. @returns the milliseconds of one */
export async function meanMs(requests: number, one: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  for (let request = 0; request < requests; request++) await one();
  return (performance.now() - startMs) / requests;
}
