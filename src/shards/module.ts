import type { ActorSystem, Behaviour } from '../actors/mod.ts';

/** The thread that a module of behaviours was loaded into. */
export interface ShardHome {
  readonly index: number;
  readonly system: ActorSystem;
}

/**
 * What a module exports under the name `behaviours`: called once a thread, with the options of `createShards`; returns by name what
 * makes a behaviour of arguments. Options and arguments are plain data and refs.
 */
export type BehavioursFunction = (home: ShardHome, options: never) => Readonly<Record<string, Factory>>;

export type Factory = (args: never) => unknown;

export type OptionsOf<B extends BehavioursFunction> = Parameters<B>[1];
export type NameOf<B extends BehavioursFunction> = keyof ReturnType<B> & string;
export type ArgsOf<B extends BehavioursFunction, K extends NameOf<B>> = Parameters<ReturnType<B>[K]>[0];
export type MessageOf<B extends BehavioursFunction, K extends NameOf<B>> =
  ReturnType<ReturnType<B>[K]> extends Behaviour<infer M> ? M : never;

/**
 * The address of a module beside another, for a thread to load: in the sources as TypeScript and in the published package compiled.
 * @param here the `import.meta.url` of the other
 * @param name without its ending
 */
export function moduleBeside(here: string, name: string): URL {
  const ending = here.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./${name}.${ending}`, here);
}
