import { isDeepStrictEqual } from 'node:util';
import { messageOf, ShoalError } from '../../errors.ts';
import { isRecord } from '../../is-record.ts';
import { makeParams, PARAMETERS, type Params, paramsTable } from './params.ts';

/** The parameters of the whole fleet at one moment. All hosts hold the same document, or are about to. */
export interface FleetParams {
  /** Made with the first document of a fleet: tells the parameters of two fleets of one name apart. */
  readonly lineage: string;
  /** 0: nobody has set any. Each change has the version after that of the document it was made of. */
  readonly version: number;
  /** When it was made, by the clock of the host that made it. */
  readonly atMs: number;
  /** Ids of the latest changes that are in it, oldest first: so a host can tell whether a change of its own was made. */
  readonly changes: readonly string[];
  readonly values: Readonly<Record<string, number>>;
}

/** Longer histories of changes are cut. */
export const CHANGES_KEPT = 16;
/** Nobody makes so many changes. A forged version near the largest integer would leave no room for the next change. */
const VERSION_MAX = 1_000_000_000_000;
const ID = /^[\w-]{1,64}$/;

/** Whether each host has this parameter of its own. */
export function isOfHost(name: string): boolean {
  return PARAMETERS[name]?.isOfHost === true;
}

/** The parameters of the whole fleet among all. */
export function fleetValues(params: Params): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(paramsTable(params)).filter(([name]) => !isOfHost(name)));
}

/** Without parameters that older hosts do not know, as long as they are at their defaults: hosts of two versions serve as one fleet. */
export function writtenParams(params: FleetParams): FleetParams {
  return { ...params, values: writtenValues(params.values) };
}

/** Of the values of a document, those that are written. */
export function writtenValues(values: FleetParams['values']): FleetParams['values'] {
  const isWritten = ([name, value]: readonly [string, number]): boolean => {
    const definition = PARAMETERS[name];
    return definition?.isLater !== true || value !== definition.default;
  };
  return Object.fromEntries(Object.entries(values).filter(isWritten));
}

/** @returns the document after `base` with these values @throws CONFIG_VALUE if they do not fit */
export function changedParams(
  base: FleetParams,
  values: Readonly<Record<string, number | string>>,
  { id, atMs }: { readonly id: string; readonly atMs: number },
): FleetParams {
  return {
    lineage: base.lineage,
    version: base.version + 1,
    // Two clocks may differ: a later document must not look older.
    atMs: Math.max(Math.floor(atMs), base.atMs),
    changes: [...base.changes, id].slice(-CHANGES_KEPT),
    values: fleetValues(makeParams(values, makeParams(base.values))),
  };
}

/**
 * Above 0 if `a` counts and `b` does not, 0 if they are the same. The order is total, so hosts that hold different documents all choose the
 * same one, whoever tells whom first.
 */
export function compareFleetParams(a: FleetParams, b: FleetParams): number {
  if (a.version !== b.version) return a.version - b.version;
  if (a.atMs !== b.atMs) return a.atMs - b.atMs;
  if (isDeepStrictEqual(a, b)) return 0;
  const [textA, textB] = [canonical(a), canonical(b)];
  return textA === textB ? 0 : textA > textB ? 1 : -1;
}

/** @param value what was read or received, of any form @throws PARAMS_DAMAGED saying what is wrong */
export function fleetParamsOf(value: unknown): FleetParams {
  if (!isRecord(value)) throw damaged('it is no object');
  const { lineage, version, atMs, changes, values } = value;
  if (!isId(lineage)) throw damaged(`its lineage is ${shown(lineage)}`);
  if (!isWhole(version) || version > VERSION_MAX) throw damaged(`its version is ${shown(version)}`);
  if (!isWhole(atMs)) throw damaged(`its time is ${shown(atMs)}`);
  if (!Array.isArray(changes) || changes.length > CHANGES_KEPT || !changes.every(isId)) {
    throw damaged(`its changes are ${shown(changes)}`);
  }
  if (!isRecord(values)) throw damaged(`its values are ${shown(values)}`);
  return { lineage, version, atMs, changes, values: checkedValues(values) };
}

function checkedValues(values: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> {
  const entries = Object.entries(values).map(([name, figure]) => {
    // The name `__proto__` is none of the parameters.
    if (!Object.hasOwn(PARAMETERS, name) || isOfHost(name)) throw damaged(`it has ${shown(name)} among its parameters`);
    if (typeof figure !== 'number') throw damaged(`its ${name} is ${shown(figure)}`);
    return [name, figure] as const;
  });
  try {
    return fleetValues(makeParams(Object.fromEntries(entries)));
  } catch (cause) {
    throw damaged(messageOf(cause), cause);
  }
}

function damaged(why: string, cause?: unknown): ShoalError {
  const message = `The parameters of the fleet cannot be used: ${why}; \`shoal params set\` writes them anew`;
  return new ShoalError('PARAMS_DAMAGED', message, { cause });
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}

function shown(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 100) ?? 'missing';
}

function canonical({ lineage, values, changes }: FleetParams): string {
  const sorted = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([sorted, changes, lineage]);
}
