import type { Heard } from './heard.ts';

/** A host that is busy itself may keep a guest from its CPU for a moment. */
const LOOKS_MAX = 3;

/** Looks again while something is wrong, and the guest lives. @returns what is wrong at the last look; undefined if nothing is */
export async function whyStill(
  heard: Pick<Heard, 'isOver'>,
  look: () => Promise<string | undefined>,
): Promise<string | undefined> {
  let why = await look();
  for (let looks = 1; why !== undefined && looks < LOOKS_MAX && !heard.isOver; looks++) why = await look();
  return why;
}
