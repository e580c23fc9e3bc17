import { ShoalError } from '../errors.ts';

export const MISHAPS = ['exit', 'throw', 'out-of-memory', 'loop'] as const;

/** Harms the thread that it is called on, so that tests of a running Shoal can do what only a defect would. */
export function doMishap(how: string): void {
  if (process.env['SHOAL_TEST_MISHAPS'] !== '1') {
    throw new ShoalError('CONFIG_VALUE', 'Mishaps are for tests: they need SHOAL_TEST_MISHAPS=1 in the environment');
  }
  switch (how) {
    case 'exit':
      setImmediate(() => process.exit(7));
      return;
    case 'throw':
      setImmediate(() => {
        throw new Error('a mishap');
      });
      return;
    case 'out-of-memory':
      setImmediate(fillMemory);
      return;
    case 'loop':
      setImmediate(loop);
      return;
    default:
      throw new ShoalError('CONFIG_VALUE', `Expected a mishap to be one of ${MISHAPS.join(', ')}, got \`${how}\``);
  }
}

function fillMemory(): void {
  const hoard: number[][] = [];
  for (;;) hoard.push(new Array(100_000).fill(hoard.length));
}

function loop(): void {
  for (;;);
}
