import { relative } from 'node:path';
import { type Language, newService } from '../app/mod.ts';
import { invokedFromAnywhere } from './invoked-as.ts';
import { printable, printData, say } from './output.ts';

/** `shoal service new`. @returns the exit code */
export async function writeService(path: string, language: Language): Promise<number> {
  const { folder, files, next } = await newService(path, language);
  const place = (file: string): string => relative(process.cwd(), file);
  printData(files.map(place).join('\n'));
  if (next === undefined) {
    say('Next: build it with a checkout of Shoal, since the npm package has no sources of the guest');
    return 0;
  }
  const command = next.replaceAll(/\bshoal (?=up )/g, () => `${invokedFromAnywhere()} `);
  say(printable(`Next: cd ${place(folder)} && ${command}`));
  return 0;
}
