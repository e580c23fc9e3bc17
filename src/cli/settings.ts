import { resolve } from 'node:path';
import { type ProfileChoice, SHIPPED_PROFILES, type VmNetwork } from '../hypervisor/mod.ts';
import type { Command, Flags } from './command.ts';
import { usage } from './parse.ts';

/** Parses `NAME=VALUE` pairs. The last value of a name counts. */
export function settings(command: Command, texts: readonly string[]): Record<string, string> {
  const entries = texts.map((text) => {
    const at = text.indexOf('=');
    if (at < 1) throw usage(command, `expected NAME=VALUE, got ${JSON.stringify(text)}`);
    return [text.slice(0, at), text.slice(at + 1)] as const;
  });
  // An assignment to the name `__proto__` would be lost.
  return Object.fromEntries(entries);
}

/** The flags about the profile of an image. */
export function profileChoice(command: Command, flags: Flags): ProfileChoice {
  const profile = flags.text('profile');
  if (profile === '') throw usage(command, 'expected --profile to name a profile or a file, got an empty text');
  // A command may change its folder before the file is read.
  const isName = profile === undefined || Object.hasOwn(SHIPPED_PROFILES, profile);
  return { profile: isName ? profile : resolve(profile), set: settings(command, flags.list('profile-set')) };
}

/** `--network` and `--qemu`: how VMs are reached, and what they run on. */
export function machineChoice(flags: Flags): { readonly network: VmNetwork; readonly qemu: string } {
  const named = flags.text('qemu') ?? 'auto';
  return {
    network: flags.oneOf('network', ['user', 'none']) ?? 'user',
    // A path counts from here, as a file's; a name is looked for in PATH.
    qemu: named.includes('/') ? resolve(named) : named,
  };
}
