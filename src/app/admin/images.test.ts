import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { testKit } from '../../actors/kit/mod.ts';
import { systemClock } from '../../actors/mod.ts';
import { ShoalError } from '../../errors.ts';
import type { FleetSnapshot, RouterMessage } from '../../fleet/mod.ts';
import { leastKernel } from '../../hypervisor/kit/mod.ts';
import { BUILT_IN_PROFILE, loadImage } from '../../hypervisor/mod.ts';
import type { DataDir } from '../data-dir.ts';
import { type DeployOrder, Deploys } from '../deploy/deploys.ts';
import { keepImage } from '../kept-image.ts';
import { temporaryData } from '../testing/temporary-data.ts';
import type { AdminDeps } from './deps.ts';
import { imageHandlers } from './images.ts';

const [OLD, OTHER] = ['0'.repeat(64), '1'.repeat(64)];
const DEPLOY = {
  ...{ id: 7, image: OTHER, before: OLD, canary: 1, canaryMs: 10, phase: 'rolling', why: null, ended_ms: null },
} as const;
const FIGURES = { ...DEPLOY, new_answers: 1, new_errors: 2, old_answers: 3, old_errors: 4 };

type Figures = Omit<typeof FIGURES, 'id'> & { readonly id: number };

interface World {
  holdsVms: boolean;
  /** A deploy runs. */
  isRunning: boolean;
  /** Of the router. */
  figures: Figures | null;
}

async function world(more: Partial<World> = {}) {
  const data = await temporaryData();
  const kit = testKit();
  onTestFinished(() => kit.shutdown());
  const state: World = { holdsVms: false, isRunning: false, figures: FIGURES, ...more };
  const orders: DeployOrder[] = [];
  const router = kit.system.spawn<RouterMessage>(() => (message) => {
    const vms = [OLD, OTHER, OTHER, null].map((image_digest) => ({ image_digest }));
    // The verbs look at nothing else of it.
    const snapshot = { vms, deploy: state.figures } as unknown as FleetSnapshot;
    if (message.kind === 'snapshot') message.replyTo.tell(snapshot);
  });
  const deps = {
    ...{ system: kit.system, router, data, settings: state, options: { host: 'here' }, inUse: async () => [] },
    parameters: { imageDigest: OLD },
    deploys: {
      needed: [OTHER],
      document: { image: OLD, before: null, deploy: DEPLOY },
      checkNoneRuns() {
        if (state.isRunning) throw new ShoalError('DEPLOY_RUNNING', 'another one');
      },
      deploy: async (order: DeployOrder) => void orders.push(order),
    },
  };
  // The verbs use no other port.
  const handlers = imageHandlers(deps as unknown as AdminDeps);
  const call = async (verb: string, args: unknown): Promise<unknown> => handlers[verb]?.(args);
  return { data, state, orders, call, folder: data.folder('images') };
}

async function keep(data: DataDir): Promise<string> {
  const path = join(data.path, 'vmlinuz');
  writeFileSync(path, leastKernel());
  const image = await loadImage(path, { set: { machine: 'pc', boot: 'linux' } });
  return (await keepImage(data, image)).digest;
}

test('an image is deployed that is kept; copies that nobody needs go', async () => {
  const { data, orders, call, folder } = await world();
  const digest = await keep(data);
  for (const name of [`${OLD}.elf`, `${OTHER}.elf`, `${'2'.repeat(64)}.elf`]) writeFileSync(join(folder, name), '');
  await call('image-deploy', { digest, canary: 3, canary_ms: 5_000 });
  expect(orders).toEqual([{ image: digest, canary: 3, canaryMs: 5_000 }]);
  expect(readdirSync(folder).sort()).toEqual([`${OLD}.elf`, `${OTHER}.elf`]);
  const lacking = call('image-deploy', { digest: OTHER, canary: 1, canary_ms: 1 });
  await expect(lacking).rejects.toMatchObject({ code: 'IMAGE_MISSING' });
  expect(orders).toHaveLength(1);
});

test('a host that is to have no VMs tries an image on no canary', async () => {
  const { data, orders, call } = await world({ holdsVms: true });
  await call('image-deploy', { digest: await keep(data), canary: 3, canary_ms: 5_000 });
  expect(orders).toMatchObject([{ canary: 0 }]);
});

test('nothing is offered or sent while a deploy runs', async () => {
  const { data, state, call, folder } = await world();
  const digest = await keep(data);
  expect(await call('image-offer', { digest })).toEqual({ has: true });
  expect(await call('image-offer', { digest: OTHER })).toEqual({ has: false });
  state.isRunning = true;
  const part = { digest: OTHER, file: 'image', bytes: 4, at: 0, part: 'AAAA' };
  for (const [verb, args] of [
    ['image-offer', { digest }],
    ['image-part', part],
    ['image-keep', { digest: OTHER, profile: {}, boot: false }],
  ] as const) {
    await expect(call(verb, args)).rejects.toMatchObject({ code: 'DEPLOY_RUNNING' });
  }
  expect(existsSync(join(folder, `${OTHER}.image.part`))).toBe(false);
});

test('a part stays within the bytes that were announced', async () => {
  const { call } = await world();
  const part = { digest: OTHER, file: 'image', bytes: 6, part: 'AAAA' };
  expect(await call('image-part', { ...part, at: 3 })).toEqual({});
  for (const at of [4, 6, -1]) {
    await expect(call('image-part', { ...part, at })).rejects.toMatchObject({ code: 'NATS_MESSAGE_INVALID' });
  }
  const short = call('image-part', { ...part, digest: 'short', at: 0 });
  await expect(short).rejects.toMatchObject({ code: 'NATS_MESSAGE_INVALID' });
});

test('the status says what the VMs of this deploy have answered, and not those of another', async () => {
  const { state, call } = await world();
  const answers = { new_answers: 1, new_errors: 2, old_answers: 3, old_errors: 4 };
  expect(await call('image-status', {})).toMatchObject({
    ...{ host: 'here', image: OLD, before: null },
    vms: [
      { image: OLD, vms: 1 },
      { image: OTHER, vms: 2 },
    ],
    deploy: { image: OTHER, before: OLD, phase: 'rolling', canary_ms: 10, started_ms: 7, ended_ms: null, ...answers },
  });
  for (const figures of [null, { ...FIGURES, id: 6 }]) {
    state.figures = figures;
    expect(await call('image-status', {})).toMatchObject({ deploy: { new_answers: null, old_errors: null } });
  }
});

test('no deploy begins while the host cannot be looked at', async () => {
  const data = await temporaryData();
  const digest = await keep(data);
  const deploys = new Deploys({
    store: { last: undefined, save: async () => undefined },
    clock: systemClock,
    host: 'here',
    image: '0'.repeat(64),
    kept: {
      parametersOf: () => ({}),
      profileOf: () => undefined,
      mostMemoryMib: () => 16,
      slowestProfile: () => BUILT_IN_PROFILE,
      checkMemory: () => undefined,
    },
    check: () => new Promise(() => undefined),
    onEvent: () => undefined,
  });
  const inUse = () => Promise.reject(new Error('/proc cannot be read'));
  // The verb uses no other port before that.
  const deps = { data, deploys, inUse, settings: { holdsVms: false } } as unknown as AdminDeps;
  const deployed = async () => imageHandlers(deps)['image-deploy']?.({ digest, canary: 0, canary_ms: 0 });
  await expect(deployed()).rejects.toThrow('/proc cannot be read');
  expect(deploys.document.deploy).toBeNull();
});
