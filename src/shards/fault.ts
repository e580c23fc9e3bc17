import { ShoalError } from '../errors.ts';

/** The faults that a test can inject into a shard. */
export const SHARD_FAULTS = ['exit', 'throw', 'out-of-memory', 'loop'] as const;

/** Harms the thread that calls it, as otherwise only a defect would: for tests of a running Shoal. */
export function causeFault(fault: string): void {
  if (process.env['SHOAL_TEST_FAULTS'] !== '1') {
    throw new ShoalError('CONFIG_VALUE', 'Faults are for tests: they need SHOAL_TEST_FAULTS=1 in the environment');
  }
  switch (fault) {
    case 'exit':
      setImmediate(() => process.exit(7));
      return;
    case 'throw':
      setImmediate(() => {
        throw new Error('an injected fault');
      });
      return;
    case 'out-of-memory':
      setImmediate(fillMemory);
      return;
    case 'loop':
      setImmediate(loop);
      return;
    default:
      throw new ShoalError(
        'CONFIG_VALUE',
        `Expected a fault to be one of ${SHARD_FAULTS.join(', ')}, got \`${fault}\``,
      );
  }
}

function fillMemory(): void {
  const hoard: number[][] = [];
  for (;;) hoard.push(new Array(100_000).fill(hoard.length));
}

function loop(): void {
  for (;;);
}
