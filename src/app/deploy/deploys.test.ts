import { describe, expect, it } from 'vitest';
import { type TestKit, testKit } from '../../actors/kit/mod.ts';
import { ShoalError, toEnvelope } from '../../errors.ts';
import type { CommandReply, DeployState, FleetEvent, RouterMessage } from '../../fleet/mod.ts';
import { makeParams } from '../../fleet/mod.ts';
import { BUILT_IN_PROFILE, type ControllerMessage } from '../../hypervisor/mod.ts';
import type { ImageDocument, ImageStore, StoredDeploy, StoredPhase } from '../../store/mod.ts';
import { Deploys, type DeploysOptions } from './deploys.ts';

const [OLD, NEW] = ['0'.repeat(64), '1'.repeat(64)];
const ORDER = { image: NEW, canary: 1, canaryMs: 1_000 };

interface Disk {
  document: ImageDocument | undefined;
  fails: boolean;
  /** The router refuses what it is told. */
  isRefused: boolean;
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
  /** The images that memory was asked of, each time. */
  readonly startable: (readonly string[])[];
  /** What the settings and the controller were told. */
  readonly needs: unknown[];
  /** The router tells how far it is. */
  progress(phase: DeployState['phase']): void;
}

async function world(disk: Partial<Disk> = {}, check: DeploysOptions['check'] = async () => undefined): Promise<World> {
  const kit = testKit();
  const kept: Disk = { document: undefined, fails: false, isRefused: false, hold: undefined, ...disk };
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
  const startable: World['startable'] = [];
  const needs: World['needs'] = [];
  const deploys = new Deploys({
    store,
    clock: kit.clock,
    host: 'here',
    image: OLD,
    kept: {
      parametersOf: () => ({}),
      profileOf: () => undefined,
      mostMemoryMib: (images) => {
        startable.push(images);
        return 16;
      },
      slowestProfile: () => BUILT_IN_PROFILE,
      checkMemory: () => undefined,
    },
    check,
    onEvent: (event) => void events.push(event),
  });
  const router = kit.system.spawn<RouterMessage>(
    () => (message) => {
      told.push({ message, durable: kept.document });
      const error = toEnvelope(new ShoalError('DEPLOY_RUNNING', 'another one'));
      const done: CommandReply = { ok: true, vms: [], params: makeParams() };
      const reply: CommandReply = kept.isRefused ? { ok: false, error } : done;
      if (message.kind === 'deploy' || message.kind === 'roll-back') message.replyTo.tell(reply);
    },
    { name: 'router' },
  );
  const controller = kit.system.spawn<ControllerMessage>(() => (message) => void needs.push(message), {
    name: 'controller',
  });
  const settings = { setProfile: (profile: unknown) => void needs.push(profile), setImages: () => undefined };
  deploys.attach({ system: kit.system, router, controller, settings });
  await kit.settle();
  const progress = (phase: DeployState['phase']): void => {
    const { running } = deploys;
    if (running !== undefined) deploys.progressed({ ...running, phase, why: null });
  };
  return { kit, disk: kept, deploys, events, told, startable, needs, progress };
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

  it('begins although what the router says of the one before, which has ended, comes again', async () => {
    const { kit, deploys, disk } = await world();
    await deploys.deploy(ORDER);
    await kit.settle();
    const { running } = deploys;
    if (running === undefined) throw new Error('no deploy');
    const ended: DeployState = { ...running, phase: 'rolled-back', why: 'it crashed' };
    deploys.progressed(ended);
    await kit.settle();
    const gate = Promise.withResolvers<void>();
    disk.hold = gate.promise;
    const next = deploys.deploy(ORDER);
    deploys.progressed(ended);
    disk.hold = undefined;
    gate.resolve();
    await next;
    await kit.settle();
    expect(deploys.running).toMatchObject({ phase: 'canary' });
    expect(deploys.running?.id).toBeGreaterThan(running.id);
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

  it('of what was looked at elsewhere is not booted beforehand', async () => {
    const { kit, deploys, told } = await world({}, () => Promise.reject(new Error('not to be checked')));
    await deploys.deploy({ ...ORDER, isChecked: true });
    expect(told).toMatchObject([{ message: { kind: 'deploy', deploy: { phase: 'canary' } } }]);
    await kit.shutdown();
  });

  it('has an end that others wait for, whichever it is', async () => {
    const { kit, deploys, progress } = await world();
    expect(await deploys.ended()).toBeNull();
    await deploys.deploy(ORDER);
    await kit.settle();
    const first = deploys.ended();
    progress('rolling');
    progress('deployed');
    expect(await first).toMatchObject({ image: NEW, phase: 'deployed' });

    const gate = Promise.withResolvers<void>();
    const refusing = await world({ hold: gate.promise }, () => Promise.reject(new Error('it hangs')));
    const begun = refusing.deploys.deploy(ORDER);
    // It waits for one that is only beginning, too.
    const second = refusing.deploys.ended();
    refusing.disk.hold = undefined;
    gate.resolve();
    await begun;
    expect(await second).toMatchObject({ image: NEW, phase: 'refused', why: 'it hangs' });
    await kit.shutdown();
    await refusing.kit.shutdown();
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

  it('that is given up ends its check, and the next image is checked after that', async () => {
    const steps: string[] = [];
    const ended = Promise.withResolvers<void>();
    const { kit, deploys, events } = await world({}, async (image, signal) => {
      steps.push(`begins ${image[0]}`);
      if (image !== NEW) return;
      signal.addEventListener('abort', () => steps.push('is to end'));
      // A process takes its time to end.
      await ended.promise;
      steps.push('has ended');
      throw new Error('killed');
    });
    await deploys.deploy(ORDER);
    await kit.settle();
    await deploys.rollBack();
    await deploys.deploy({ ...ORDER, image: '2'.repeat(64) });
    await kit.settle();
    expect(steps).toEqual(['begins 1', 'is to end']);
    ended.resolve();
    await kit.settle();
    expect(steps).toEqual(['begins 1', 'is to end', 'has ended', 'begins 2']);
    expect(deploys.running).toMatchObject({ image: '2'.repeat(64), phase: 'canary' });
    expect(events.filter(({ text }) => text.includes('killed'))).toEqual([]);
    await kit.shutdown();
  });

  it('is checked once the VM of a check that was given up has ended', async () => {
    const ended = Promise.withResolvers<void>();
    const checks: AbortSignal[] = [];
    const { kit, deploys } = await world({}, (_, signal) => {
      checks.push(signal);
      return checks.length === 1 ? ended.promise : Promise.resolve();
    });
    await deploys.deploy(ORDER);
    await kit.settle();
    await deploys.rollBack();
    await deploys.deploy(ORDER);
    await kit.settle();
    expect(checks.map(({ aborted }) => aborted)).toEqual([true]);
    ended.reject(new Error('its VM was ended'));
    await kit.settle();
    expect(checks.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(deploys.document.deploy).toMatchObject({ phase: 'canary', why: null });
    await kit.shutdown();
  });

  it('ends the VM of its check when Shoal ends, and is checked anew at the next start', async () => {
    const ended = Promise.withResolvers<void>();
    const { kit, deploys, disk } = await world({}, (_, signal) => {
      signal.addEventListener('abort', () => ended.reject(new Error('its VM was ended')));
      return ended.promise;
    });
    await deploys.deploy(ORDER);
    await deploys.close();
    await kit.settle();
    expect(disk.document?.deploy).toMatchObject({ phase: 'checking', ended_ms: null });
    await kit.shutdown();
  });

  it('of the image that runs already needs no check and no canary', async () => {
    const { kit, deploys, told } = await world({}, () => Promise.reject(new Error('not asked for')));
    await deploys.deploy({ ...ORDER, image: OLD });
    expect(told).toMatchObject([{ message: { deploy: { image: OLD, before: OLD, phase: 'rolling', canary: 0 } } }]);
    await kit.shutdown();
  });
});

/** A deploy that has ended, or was cut short. */
const stored = (phase: StoredPhase, ended_ms: number | null = 5): StoredDeploy => {
  return { id: 7, before: OLD, ...ORDER, phase, why: null, ended_ms };
};

describe('what a host keeps of a deploy', () => {
  it.each([
    ['has ended', stored('deployed')],
    ['is checked', stored('checking', null)],
  ])('is nothing for the router to carry out if it %s', async (_, deploy) => {
    const forEver = new Promise<void>(() => undefined);
    const { kit, deploys } = await world({ document: { image: OLD, before: null, deploy } }, () => forEver);
    expect(deploys.running).toBeUndefined();
    await kit.shutdown();
  });

  it.each([
    ['nothing was before', { image: NEW, before: null, deploy: stored('deployed') }],
    ['the same was before', { image: NEW, before: NEW, deploy: stored('deployed') }],
    ['the last was rolled back', { image: OLD, before: NEW, deploy: stored('rolled-back') }],
  ])('is nothing to put back if %s', async (_, document) => {
    const { kit, deploys } = await world({ document });
    await expect(deploys.rollBack()).rejects.toMatchObject({ code: 'DEPLOY_NONE' });
    await kit.shutdown();
  });

  it('has an id above that of the last, whatever the clock says', async () => {
    const id = Number.MAX_SAFE_INTEGER - 10;
    const { kit, deploys } = await world({
      document: { image: OLD, before: null, deploy: { ...stored('rolled-back'), id } },
    });
    await deploys.deploy(ORDER);
    expect(deploys.document.deploy?.id).toBe(id + 1);
    await kit.shutdown();
  });

  it('is the last word: a check that passed does not overwrite that it was given up meanwhile', async () => {
    const [check, slow] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { kit, deploys, disk, told } = await world({}, () => check.promise);
    await deploys.deploy(ORDER);
    disk.hold = slow.promise;
    check.resolve();
    await kit.settle();
    disk.hold = undefined;
    const givenUp = deploys.rollBack();
    await kit.settle();
    slow.resolve();
    await givenUp;
    await kit.settle();
    expect([disk.document?.deploy?.phase, told]).toEqual(['refused', []]);
    await kit.shutdown();
  });
});

describe('a deploy and its router', () => {
  it('goes to all VMs at once without canaries', async () => {
    const { kit, deploys, told } = await world();
    await deploys.deploy({ ...ORDER, canary: 0 });
    await kit.settle();
    expect(told).toMatchObject([{ message: { kind: 'deploy', deploy: { phase: 'rolling' } } }]);
    await kit.shutdown();
  });

  it('is what the router says of it, and not of another', async () => {
    const { kit, deploys } = await world();
    await deploys.deploy(ORDER);
    await kit.settle();
    const { running } = deploys;
    if (running === undefined) throw new Error('no deploy runs');
    deploys.progressed({ ...running, id: running.id - 1, phase: 'deployed' });
    expect([deploys.image, deploys.running?.phase]).toEqual([OLD, 'canary']);
    await kit.shutdown();
  });

  it('is an error if the router refuses it', async () => {
    const { kit, deploys } = await world({ isRefused: true });
    await expect(deploys.deploy({ ...ORDER, image: OLD })).rejects.toMatchObject({ message: 'another one' });
    await kit.shutdown();
  });
});

describe('while VMs of two images may run', () => {
  it('both count for memory and time to boot, and one again at the end', async () => {
    const { kit, deploys, startable, needs, progress } = await world();
    await deploys.deploy(ORDER);
    await kit.settle();
    expect(startable).toEqual([[OLD, NEW, OLD]]);
    expect(needs).toEqual([BUILT_IN_PROFILE, { kind: 'set-parameters', parameters: { memoryMib: 16 } }]);
    progress('deployed');
    expect(startable.at(-1)).toEqual([NEW]);
    await kit.shutdown();
  });

  it('both count after a restart, too', async () => {
    const { kit, startable } = await world({ document: { image: OLD, before: null, deploy: stored('rolling', null) } });
    expect(startable).toEqual([[OLD, NEW, OLD]]);
    await kit.shutdown();
  });
});
