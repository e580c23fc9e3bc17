import { closeSync, readFileSync } from 'node:fs';
import { whileThere } from './while-there.ts';

/** The variable in which `bin/shoal` says which descriptors it has got beside the standard streams. */
const VARIABLE = 'SHOAL_INHERITED_FILES';
/** `O_CLOEXEC`, which Node does not name: the kernel closes such a file when another program starts. */
const CLOSED_BY_EXEC = 0o2000000;

/**
 * Closes what whoever started this process left open for it beside its standard streams. Node keeps only the lowest descriptors from
 * children: the others would reach each process that is started, and stay open for as long as it runs. Which they are the shell has told:
 * from here they look like files that Node opens on other threads, such as certificates.
 * @param env the variable is removed from it
 */
export function closeInheritedFiles(env: NodeJS.ProcessEnv = process.env): void {
  const { [VARIABLE]: named = '' } = env;
  delete env[VARIABLE];
  for (const descriptor of named.split(' ')) {
    if (/^\d{1,9}$/.test(descriptor) && Number(descriptor) > 2 && reachesChildren(descriptor))
      closeSync(Number(descriptor));
  }
}

/** Those of Node itself do not. */
function reachesChildren(descriptor: string): boolean {
  const info = whileThere(() => readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'));
  const flags = /^flags:\s+([0-7]+)$/m.exec(info ?? '')?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & CLOSED_BY_EXEC) === 0;
}
