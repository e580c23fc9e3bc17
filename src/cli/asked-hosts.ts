import { type FleetCalls, withFleet } from '../app/mod.ts';
import { codeOf, messageOf, messageWithCode, ShoalError } from '../errors.ts';
import { checkHostName, type HostAnswer } from '../transport/mod.ts';
import type { Command, Flags } from './command.ts';
import { fleetOf } from './find.ts';
import { printable, say } from './output.ts';
import { usage } from './parse.ts';
import type { VmWord } from './vm-word.ts';

/** What the hosts of a fleet answered. */
export interface Heard {
  readonly values: readonly { readonly host: string; readonly value: unknown }[];
  /** Hosts that did not answer, or not with a value; each has been told of on standard error. */
  readonly silent: readonly string[];
  /** Whether more hosts than one are concerned, so that what is shown of one needs its name. */
  readonly isMany: boolean;
  /** 1 if something is missing. */
  readonly exitCode: number;
}

/** The host that `--host` names. @throws CONFIG_VALUE */
export function hostOf(flags: Flags): string | undefined {
  const host = flags.text('host');
  return host === undefined ? undefined : checkHostName(host);
}

/** Asks every host of the fleet, or that of `--host`. @throws if none has an answer */
export function askHosts(flags: Flags, verb: string, args: unknown): Promise<Heard> {
  const host = hostOf(flags);
  return withFleet(fleetOf(flags), verb, async ({ every }) => heard(await every(verb, args, host)));
}

/** @throws the first error if no host has an answer */
export function heard(answers: readonly HostAnswer[], isNews: (error: unknown) => boolean = () => true): Heard {
  const values = answers.filter(({ error }) => error === undefined);
  const failed = answers.filter(({ error }) => error !== undefined);
  if (values.length === 0) throw (failed.find(({ error }) => isNews(error)) ?? failed[0])?.error;
  const missing = failed.filter(({ error }) => isNews(error));
  for (const { host, error } of missing) say(printable(`shoal: ${host}: ${messageWithCode(error)}`));
  const silent = missing.map(({ host }) => host);
  return { values, silent, isMany: answers.length > 1, exitCode: missing.length === 0 ? 0 : 1 };
}

/** Who may have a thing that only one host has: asks all, and takes the one that knows it. */
export interface Found {
  readonly host: string | undefined;
  readonly value: unknown;
  readonly isMany: boolean;
}

/** Asks the host of a VM, or every host if the word does not say which. @throws USAGE if several have a VM of that number */
export function askVm(command: Command, flags: Flags, { host, vm }: VmWord, verb: string, more = {}): Promise<Found> {
  return withFleet(fleetOf(flags), verb, async ({ every }) => {
    const answers = await every(verb, { vm, ...more }, host).catch(onHost(host));
    const { values, isMany } = heard(answers, (error) => codeOf(error) !== 'VM_UNKNOWN');
    const [first, second] = values;
    if (second !== undefined) throw ambiguous(command, vm, values);
    return { host: first?.host, value: first?.value, isMany };
  });
}

/** Tells the host of a VM to do something with it. @throws USAGE if it is not clear which host that is */
export function tellVm(command: Command, flags: Flags, { host, vm }: VmWord, verb: string): Promise<Found> {
  return withFleet(fleetOf(flags), verb, async (calls) => {
    if (host !== undefined) {
      const value = await calls.ask(verb, { vm }, host).catch(onHost(host));
      return { host, value, isMany: true };
    }
    const answers = await calls.every('ps', {});
    const silent = answers.filter(({ error }) => error !== undefined);
    const holders = answers.filter(({ value }) => vmsIn(value).includes(vm));
    const [holder, second] = holders;
    if (second !== undefined) throw ambiguous(command, vm, holders);
    const [mute] = silent;
    if (mute !== undefined && answers.length > 1) {
      const why = `host ${mute.host} does not answer and may have a VM ${vm}, too`;
      throw usage(command, `${why}: name the host, as in ${holder?.host ?? mute.host}/${vm}`);
    }
    const of = holder?.host ?? answers[0]?.host;
    return { host: of, value: await calls.ask(verb, { vm }, of), isMany: answers.length > 1 };
  });
}

/** A host says which VMs it does not know by their numbers, which VMs of other hosts may have. */
function onHost(host: string | undefined): (error: unknown) => never {
  return (error) => {
    if (host === undefined || codeOf(error) !== 'VM_UNKNOWN') throw error;
    throw new ShoalError('VM_UNKNOWN', `Host ${host}: ${messageOf(error)}`, { cause: error, details: { host } });
  };
}

/** The host of `--host`, or the only one. @throws USAGE if there are several */
export async function onlyHost(command: Command, flags: Flags, { every }: FleetCalls): Promise<string | undefined> {
  const host = hostOf(flags);
  if (host !== undefined) return host;
  const answers = await every('version', {});
  if (answers.length === 1) return answers[0]?.host;
  const names = answers.map((one) => one.host).join(', ');
  throw usage(command, `the fleet has several hosts (${names}): say which one with --host`);
}

function ambiguous(command: Command, vm: number, holders: readonly { readonly host: string }[]): ShoalError {
  const names = holders.map(({ host }) => `${host}/${vm}`);
  return usage(command, `several hosts have a VM ${vm}: give ${names.join(' or ')}`);
}

function vmsIn(snapshot: unknown): readonly number[] {
  if (typeof snapshot !== 'object' || snapshot === null || !('vms' in snapshot)) return [];
  const { vms } = snapshot;
  if (!Array.isArray(vms)) return [];
  return vms.flatMap((row: { readonly id_vmachine?: unknown } | null) => {
    return typeof row?.id_vmachine === 'number' ? [row.id_vmachine] : [];
  });
}
