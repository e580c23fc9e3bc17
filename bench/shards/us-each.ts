/** Microseconds that each of `count` took when all were done together. */
export async function usEach(count: number, all: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await all();
  return ((performance.now() - startMs) * 1000) / count;
}
