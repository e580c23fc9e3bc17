import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

// Node gives the collector to those that ask for it only.
setFlagsFromString('--expose-gc');
// The type of V8's own function.
const collect = runInNewContext('gc') as () => void;

/** Frees all that nobody holds any more. */
export function collectGarbage(): void {
  collect();
  // A collection leaves the buffers that it found to a thread of its own. The next one waits for that.
  collect();
}

/**
 * What is held now, in bytes. Without a collection the figures also have what is garbage already, and when V8 frees that
 * depends on the machine.
 */
export function memoryInUse(): { readonly heapBytes: number; readonly bufferBytes: number } {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { heapBytes: heapUsed, bufferBytes: arrayBuffers };
}
