import { type ActorSystem, type Behaviour, checked, TEXT } from '../actors/mod.ts';

/** The shard that has loaded a module of behaviours. */
export interface ShardHome {
  readonly index: number;
  readonly system: ActorSystem;
}

/**
 * A module exports a function of this type as `behaviours`. Each thread calls it once, with the options of
 * `createShards`. It returns factories by name; each makes a behaviour from its arguments. Options and arguments are
 * plain data and refs.
 */
export type BehavioursFunction = (home: ShardHome, options: never) => Readonly<Record<string, Factory>>;

export type Factory = (args: never) => unknown;

export type OptionsOf<B extends BehavioursFunction> = Parameters<B>[1];
export type NameOf<B extends BehavioursFunction> = keyof ReturnType<B> & string;
export type ArgsOf<B extends BehavioursFunction, K extends NameOf<B>> = Parameters<ReturnType<B>[K]>[0];
export type MessageOf<B extends BehavioursFunction, K extends NameOf<B>> =
  ReturnType<ReturnType<B>[K]> extends Behaviour<infer M> ? M : never;

/**
 * The address of a module in the same folder, for a thread to load. Its ending is that of the calling module, such as
 * `ts` in the sources, `js` in the published package, and `mjs` in a program of modules.
 * @param here the `import.meta.url` of the calling module
 * @param name without the ending
 */
export function moduleBeside(here: string, name: string): URL {
  checked('here', here, TEXT);
  checked('name', name, TEXT);
  const [, ending = 'js'] = /\.([cm]?[jt]s)$/.exec(new URL(here).pathname) ?? [];
  return new URL(`./${name}.${ending}`, here);
}
