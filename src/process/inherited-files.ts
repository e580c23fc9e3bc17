import { closeSync, readdirSync, readFileSync } from 'node:fs';
import { whileThere } from './while-there.ts';

/** `O_CLOEXEC`, which Node does not name: the kernel closes such a file when another program starts. */
const CLOSED_BY_EXEC = 0o2000000;

/**
 * Closes what whoever started this process left open for it beside its standard streams. Node keeps only the lowest descriptors from
 * children: the others would reach each process that is started, and stay open for as long as it runs.
 */
export function closeInheritedFiles(): void {
  // Node and its library open everything with O_CLOEXEC, so a file without it is inherited.
  for (const descriptor of readdirSync('/proc/self/fd').map(Number)) {
    if (descriptor > 2 && reachesChildren(descriptor)) closeSync(descriptor);
  }
}

function reachesChildren(descriptor: number): boolean {
  const info = whileThere(() => readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'));
  const flags = /^flags:\s+([0-7]+)$/m.exec(info ?? '')?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & CLOSED_BY_EXEC) === 0;
}
