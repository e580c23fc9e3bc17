import { shown } from '../actors/mod.ts';
import { ShoalError, toEnvelope } from '../errors.ts';
import type { BehavioursFunction, Factory, ShardHome } from './module.ts';

/**
 * Loads a module and calls its `behaviours`.
 * @throws SHARD_MODULE, which names the module and what it has done
 */
export async function factoriesOf(
  address: string,
  home: ShardHome,
  options: unknown,
): Promise<Readonly<Record<string, Factory>>> {
  const module = await attempt(address, 'cannot be loaded', () => import(address));
  // Whatever it is, a module is an object.
  const { behaviours } = module as { readonly behaviours?: unknown };
  if (typeof behaviours !== 'function') {
    throw moduleError(address, `has no function \`behaviours\`: that is ${shown(behaviours)}`);
  }
  // `createShards` was given these options by the module's own type.
  const call = (): unknown => (behaviours as BehavioursFunction)(home, options as never);
  const factories = await attempt(address, 'has a function `behaviours` that failed', call);
  if (typeof factories !== 'object' || factories === null) {
    throw moduleError(
      address,
      `has a function \`behaviours\` that returns no factories by name, but ${shown(factories)}`,
    );
  }
  // Each is called with arguments of its own type, if it is a function at all.
  return factories as Readonly<Record<string, Factory>>;
}

async function attempt(address: string, what: string, work: () => unknown): Promise<unknown> {
  try {
    return await work();
  } catch (cause) {
    throw moduleError(address, `${what}: ${toEnvelope(cause).message}`, cause);
  }
}

function moduleError(address: string, what: string, cause?: unknown): ShoalError {
  const details = { module: address };
  return new ShoalError('SHARD_MODULE', `the module ${address} ${what}`, { details, cause });
}
