import { basename, extname, resolve } from 'node:path';
import { buildService, SYSTEMS } from '../app/mod.ts';
import type { Flags } from './command.ts';
import { printData, say } from './output.ts';

/** `shoal service build`. @param source undefined: the text service @returns the exit code */
export async function buildServiceImage(flags: Flags, source: string | undefined): Promise<number> {
  const name = source === undefined ? 'service' : basename(source, extname(source));
  const { image, profile } = await buildService({
    system: flags.oneOf('system', SYSTEMS) ?? 'builtin',
    source,
    output: resolve(flags.text('output') ?? `${name}.elf`),
    say,
  });
  printData(profile === undefined ? image : `${image}\n${profile}`);
  return 0;
}
