import type { VmRow, VmState } from '../src/fleet/mod.ts';

/** What one moment of the demo looked like. */
export interface Moment {
  /** Since the fleet was ready. */
  readonly elapsedMs: number;
  readonly vms: readonly Pick<VmRow, 'state' | 'in_flight'>[];
  readonly requests: number;
  /** Requests that ended since the moment before. */
  readonly perSecond: number;
  readonly inFlight: number;
  /** VMs that were started, or have gone, since the moment before. */
  readonly started: number;
  readonly gone: number;
  readonly errors: number;
}

interface Kind {
  readonly glyph: string;
  readonly meaning: string;
  /** Of the terminal. */
  readonly colour: number;
}

const STARTING: Kind = { glyph: '+', meaning: 'starting', colour: 33 };
const WORKING: Kind = { glyph: '#', meaning: 'working', colour: 32 };
const IDLE: Kind = { glyph: 'o', meaning: 'idle', colour: 36 };
const LEAVING: Kind = { glyph: '-', meaning: 'leaving', colour: 31 };
/** In the order in which they stand in a line. */
const KINDS = [WORKING, IDLE, STARTING, LEAVING];

const KIND_OF: Readonly<Record<Exclude<VmState, 'ready'>, Kind>> = {
  preparing: STARTING,
  prepared: STARTING,
  booting: STARTING,
  draining: LEAVING,
  stopping: LEAVING,
  gone: LEAVING,
  unknown: LEAVING,
};

/** What stands above the lines. @param vmsMax addresses in the pool */
export function heading(vmsMax: number, isColoured: boolean): string {
  const meanings = KINDS.map((kind) => `${paint(kind.glyph, kind, isColoured)} ${kind.meaning}`).join('   ');
  return `One character is one VM:   ${meanings}\n\n    time  ${'VMs'.padEnd(vmsMax + 4)}  requests  per second  in flight`;
}

export function lineOf(moment: Moment, vmsMax: number, isColoured: boolean): string {
  const { elapsedMs, vms, requests, perSecond, inFlight } = moment;
  const kinds = vms.map(kindOf).sort((one, other) => KINDS.indexOf(one) - KINDS.indexOf(other));
  const glyphs = kinds.map((kind) => paint(kind.glyph, kind, isColoured)).join('');
  const padding = ' '.repeat(Math.max(0, vmsMax - vms.length));
  const parts = [
    `${(elapsedMs / 1000).toFixed(1).padStart(6)} s`,
    `${glyphs}${padding} ${String(vms.length).padStart(3)}`,
    String(requests).padStart(8),
    perSecond.toFixed(0).padStart(10),
    String(inFlight).padStart(9),
  ];
  return `${parts.join('  ')}${happened(moment)}`;
}

function happened({ started, gone, errors }: Moment): string {
  const texts = [
    ...(started === 0 ? [] : [`${started} started`]),
    ...(gone === 0 ? [] : [`${gone} left`]),
    ...(errors === 0 ? [] : [`${errors} errors so far`]),
  ];
  return texts.length === 0 ? '' : `  ${texts.join(', ')}`;
}

function kindOf({ state, in_flight }: Moment['vms'][number]): Kind {
  if (state !== 'ready') return KIND_OF[state];
  return in_flight > 0 ? WORKING : IDLE;
}

function paint(text: string, { colour }: Kind, isColoured: boolean): string {
  return isColoured ? `\u001b[${colour}m${text}\u001b[0m` : text;
}
