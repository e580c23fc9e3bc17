/** CPU time of each part of a measurement, which also has at least two batches. */
const WARM_UP_CPU_MS = 500;
const MEASURED_CPU_MS = 300;
const BATCHES_MIN = 2;

/** Runs batches of so many messages, after some that warm up. @returns nanoseconds of CPU per message */
export async function cpuOfEach(messages: number, runBatch: () => Promise<void>): Promise<number> {
  await batchesFor(WARM_UP_CPU_MS, runBatch);
  const { batches, cpuMs } = await batchesFor(MEASURED_CPU_MS, runBatch);
  return (cpuMs * 1e6) / (batches * messages);
}

async function batchesFor(
  enoughMs: number,
  runBatch: () => Promise<void>,
): Promise<{ batches: number; cpuMs: number }> {
  const start = process.cpuUsage();
  for (let batches = 1; ; batches++) {
    await runBatch();
    const { user, system } = process.cpuUsage(start);
    const cpuMs = (user + system) / 1000;
    if (batches >= BATCHES_MIN && cpuMs >= enoughMs) return { batches, cpuMs };
  }
}
