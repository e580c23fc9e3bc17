import { relative } from 'node:path';
import { type Language, newService } from '../app/mod.ts';
import { printable, printData, say } from './output.ts';

/** `shoal service new`. @returns the exit code */
export async function writeService(path: string, language: Language): Promise<number> {
  const { folder, files, next } = await newService(path, language);
  printData(files.join('\n'));
  const place = relative(process.cwd(), folder);
  say(printable(`Next: cd ${place} && ${next}`));
  return 0;
}
