import { describe, expect, it } from 'vitest';
import { type TestKit, testKit } from '../../actors/kit/mod.ts';
import { ShoalError } from '../../errors.ts';
import type { CommandReply, DeployState, FleetEvent, RouterMessage } from '../../fleet/mod.ts';
import { makeParams } from '../../fleet/mod.ts';
import { BUILT_IN_PROFILE, type ControllerMessage } from '../../hypervisor/mod.ts';
import type { ImageDocument, ImageStore } from '../../store/mod.ts';
import { Deploys } from './deploys.ts';

const [OLD, NEW] = ['0'.repeat(64), '1'.repeat(64)];
const ORDER = { image: NEW, canary: 1, canaryMs: 1_000 };

interface Disk {
  document: ImageDocument | undefined;
  fails: boolean;
  /** A write waits while it is set. */
  hold: Promise<void> | undefined;
}

interface World {
  readonly kit: TestKit;
  readonly disk: Disk;
  readonly deploys: Deploys;
  readonly events: FleetEvent[];
  /** What the router was told, with what was on the disk then. */
  readonly told: { readonly message: RouterMessage; readonly durable: ImageDocument | undefined }[];
  /** The router tells how far it is. */
  progress(phase: DeployState['phase']): void;
}

async function world(disk: Partial<Disk> = {}, check: () => Promise<void> = async () => undefined): Promise<World> {
  const kit = testKit();
  const kept: Disk = { document: undefined, fails: false, hold: undefined, ...disk };
  const store: ImageStore = {
    get last() {
      return kept.document;
    },
    save: async (document) => {
      await kept.hold;
      if (kept.fails) throw new ShoalError('STORE_WRITE_FAILED', 'no space');
      kept.document = document;
    },
  };
  const events: FleetEvent[] = [];
  const told: World['told'] = [];
  const most = { memoryMib: 16, profile: BUILT_IN_PROFILE };
  const deploys = new Deploys({
    store,
    clock: kit.clock,
    host: 'here',
    image: OLD,
    kept: { parametersOf: () => ({}), profileOf: () => undefined, mostOf: () => most },
    check,
    onEvent: (event) => void events.push(event),
  });
  const router = kit.system.spawn<RouterMessage>(
    () => (message) => {
      told.push({ message, durable: kept.document });
      const reply: CommandReply = { ok: true, vms: [], params: makeParams() };
      if (message.kind === 'deploy' || message.kind === 'roll-back') message.replyTo.tell(reply);
    },
    { name: 'router' },
  );
  const controller = kit.system.spawn<ControllerMessage>(() => () => undefined, { name: 'controller' });
  deploys.attach({ system: kit.system, router, controller, settings: { setProfile: () => undefined } });
  await kit.settle();
  const progress = (phase: DeployState['phase']): void => {
    const { running } = deploys;
    if (running !== undefined) deploys.progressed({ ...running, phase, why: null });
  };
  return { kit, disk: kept, deploys, events, told, progress };
}

describe('a deploy of a host', () => {
  it('is durable before the router is told of it', async () => {
    const { kit, deploys, told } = await world();
    await deploys.deploy(ORDER);
    await kit.settle();
    expect(told).toMatchObject([
      { message: { kind: 'deploy', deploy: { image: NEW, before: OLD } }, durable: { deploy: { phase: 'canary' } } },
    ]);
    await kit.shutdown();
  });

  it('begins not at all if it cannot be written', async () => {
    const { kit, deploys, told } = await world({ fails: true });
    await expect(deploys.deploy(ORDER)).rejects.toMatchObject({ code: 'STORE_WRITE_FAILED' });
    expect([deploys.running, deploys.document.deploy, told]).toEqual([undefined, null, []]);
    await kit.shutdown();
  });

  it('an image that fails its check is refused, and the router hears nothing of it', async () => {
    const { kit, deploys, disk, told, events } = await world({}, () => Promise.reject(new Error('it hangs')));
    await deploys.deploy(ORDER);
    await kit.settle();
    expect(disk.document).toMatchObject({ image: OLD, deploy: { phase: 'refused', why: 'it hangs' } });
    expect([told, deploys.running]).toEqual([[], undefined]);
    expect(events.at(-1)?.text).toContain('is not deployed: it hangs');
    await kit.shutdown();
  });

  it('is refused while another runs, or is only beginning', async () => {
    const gate = Promise.withResolvers<void>();
    const { kit, deploys, disk } = await world({ hold: gate.promise });
    const first = deploys.deploy(ORDER);
    await expect(deploys.deploy(ORDER)).rejects.toMatchObject({ code: 'DEPLOY_RUNNING' });
    await expect(deploys.rollBack()).rejects.toMatchObject({ code: 'DEPLOY_RUNNING' });
    disk.hold = undefined;
    gate.resolve();
    await first;
    await expect(deploys.deploy(ORDER)).rejects.toMatchObject({ code: 'DEPLOY_RUNNING' });
    await kit.shutdown();
  });

  it('has its end written again until that succeeds, and tells of the failure once', async () => {
    const { kit, deploys, disk, events, progress } = await world();
    await deploys.deploy(ORDER);
    await kit.settle();
    disk.fails = true;
    progress('deployed');
    await kit.advance(2_000);
    expect(deploys.image).toBe(NEW);
    expect(disk.document).toMatchObject({ image: OLD });
    disk.fails = false;
    await kit.advance(10_000);
    expect(disk.document).toMatchObject({ image: NEW, before: OLD, deploy: { phase: 'deployed' } });
    expect(events.filter(({ kind }) => kind === 'write-failed')).toHaveLength(1);
    await kit.shutdown();
  });

  it.each([
    ['its check', 'checking', [{ kind: 'deploy', deploy: { phase: 'canary' } }]],
    // The router is given these at its start.
    ['its canaries', 'canary', []],
    ['its roll-back', 'rolling-back', []],
  ] as const)('goes on where the last Shoal ended: with %s', async (_what, phase, messages) => {
    const deploy = { id: 1, before: OLD, ...ORDER, phase, why: null, ended_ms: null };
    const { kit, deploys, told } = await world({ document: { image: OLD, before: null, deploy } });
    expect(told.map(({ message }) => message)).toMatchObject(messages);
    expect(deploys.running?.phase).toBe(phase === 'checking' ? 'canary' : phase);
    await kit.shutdown();
  });

  it('is undone by a deploy of the image before, and that by nothing more', async () => {
    const { kit, deploys, progress, told } = await world();
    await expect(deploys.rollBack()).rejects.toMatchObject({ code: 'DEPLOY_NONE' });
    await deploys.deploy(ORDER);
    await kit.settle();
    progress('deployed');
    await deploys.rollBack();
    expect(told.at(-1)?.message).toMatchObject({
      kind: 'deploy',
      deploy: { image: OLD, before: NEW, phase: 'rolling' },
    });
    await kit.shutdown();
  });

  it('is given up while it is checked', async () => {
    const gate = Promise.withResolvers<void>();
    const { kit, deploys, told } = await world({}, () => gate.promise);
    await deploys.deploy(ORDER);
    await deploys.rollBack();
    gate.resolve();
    await kit.settle();
    expect(deploys.document.deploy).toMatchObject({ phase: 'refused' });
    expect(told).toEqual([]);
    await kit.shutdown();
  });

  it('of the image that runs already needs no check and no canary', async () => {
    const { kit, deploys, told } = await world({}, () => Promise.reject(new Error('not asked for')));
    await deploys.deploy({ ...ORDER, image: OLD });
    expect(told).toMatchObject([{ message: { deploy: { image: OLD, before: OLD, phase: 'rolling', canary: 0 } } }]);
    await kit.shutdown();
  });
});
