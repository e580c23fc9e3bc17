import type { Ref } from '../../actors/mod.ts';
import { ShoalError } from '../../errors.ts';
import { fleetParamsOf, paramsTable, type RouterMessage, writtenParams } from '../../fleet/mod.ts';
import { isRecord } from '../../is-record.ts';
import type { AdminHandler } from '../../transport/mod.ts';
import { parseHostPool } from '../host-pool.ts';
import { addAddresses, addressOf, poolOf } from '../tables.ts';
import { version } from '../version.ts';
import { Arguments } from './arguments.ts';
import { type AdminDeps, ASK_TIMEOUT_MS, snapshotOf } from './deps.ts';

const EVENTS_MAX = 1_000;

/** Verbs about the fleet as a whole. */
export function fleetHandlers(deps: AdminDeps): Readonly<Record<string, AdminHandler>> {
  const { settings, store, eventLog, options } = deps;
  return {
    version: () => Promise.resolve({ shoal: version(), node: process.versions.node }),
    params: () => Promise.resolve(paramsTable(settings.params)),
    'params-set': async (args) => {
      const { params, unreached } = await settings.change(new Arguments(args).values('values'));
      return { values: paramsTable(params), unreached };
    },
    'params-own': async (args) => {
      const params = await settings.setOwn(new Arguments(args).values('values'));
      return { values: paramsTable(params), unreached: [] };
    },
    'params-adopt': async (args) => {
      await settings.fleet?.adopt(fleetParamsOf(isRecord(args) ? args['params'] : undefined));
      return {};
    },
    'params-known': () => {
      const known = settings.fleet?.document;
      return Promise.resolve({ params: known === undefined ? null : writtenParams(known) });
    },
    'ip-ls': () => Promise.resolve(store.snapshot().ip_pool),
    'ip-add': async (args) => ({ added: await grow(deps, new Arguments(args).text('pool')) }),
    'ip-rm': (args) => shrink(deps, new Arguments(args).whole('id', { min: 1, max: Number.MAX_SAFE_INTEGER })),
    events: (args) => Promise.resolve(eventLog.latest(new Arguments(args).whole('count', { min: 1, max: EVENTS_MAX }))),
    hosts: () => hosts(deps),
    down: (args) => {
      if (new Arguments(args).flag('keep_vms')) deps.keepVms();
      // The answer must be sent before the connection is closed.
      deps.system.clock.soon(deps.onDown);
      return Promise.resolve({ pid: process.pid, data: options.dataDir });
    },
  };
}

async function grow({ store, router, options }: AdminDeps, pool: string): Promise<number> {
  const added = await addAddresses(store, parseHostPool(pool), options.host);
  router.tell({ kind: 'add-addresses', addresses: poolOf(store) });
  return added;
}

/** The router gives the address up before the table does, so that no VM gets it in between. */
async function shrink({ store, router, system }: AdminDeps, id: number): Promise<{ removed: number }> {
  const row = store.snapshot().ip_pool.find((one) => one.id_ip === id);
  if (row === undefined)
    throw new ShoalError('CONFIG_VALUE', `There is no address with the id ${id}; \`shoal ip ls\` lists them`);
  const toMessage = (replyTo: Ref<boolean>): RouterMessage => ({ kind: 'remove-address', id, replyTo });
  const isOut = await system.ask(router, toMessage, ASK_TIMEOUT_MS);
  if (!isOut) {
    const holder = `VM ${row.vm ?? '(starting or ending)'}`;
    throw new ShoalError(
      'STORE_CONFLICT',
      `${holder} holds address ${id}; \`shoal drain\` it first, or lower the number of VMs`,
    );
  }
  try {
    await store.removeAddress(id);
  } catch (error) {
    router.tell({ kind: 'add-addresses', addresses: [addressOf(row)] });
    throw error;
  }
  return { removed: id };
}

async function hosts(deps: AdminDeps): Promise<unknown> {
  const { vms, addresses, addresses_free, cordoned } = await snapshotOf(deps);
  const { host, image, role = 'both' } = deps.options;
  const { network = 'user' } = deps.parameters;
  // Of the image that new VMs are started from: a deploy may have brought another machine.
  const { accelerator, memoryMib, qemu } = { ...deps.parameters, ...deps.deploys.parametersOf(deps.deploys.image) };
  const isAsStarted = accelerator === deps.parameters.accelerator;
  const own = vms.filter((vm) => vm.host === host);
  return [
    {
      host,
      role,
      state: cordoned ? (deps.settings.holdsVms && role !== 'server' ? 'drained' : 'cordoned') : 'up',
      vms: own.length,
      ready: own.filter((vm) => vm.state === 'ready').length,
      addresses,
      addresses_free,
      accelerator,
      accelerator_why: isAsStarted
        ? deps.why
        : `the profile of the deployed image rules out ${deps.parameters.accelerator}`,
      network,
      qemu: qemu?.program ?? null,
      qemu_why: qemu?.why ?? null,
      image,
      memory_mib: memoryMib,
      params: deps.settings.digest,
    },
  ];
}
