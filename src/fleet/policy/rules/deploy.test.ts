import { describe, expect, it } from 'vitest';
import { BareFleet, type BareFleetOptions, DEPLOY } from '../../kit/bare-fleet.ts';
import { FakeFleet } from '../../kit/mod.ts';
import type { DeployPhase, DeployState } from '../../values/deploy.ts';
import { onHostEvent } from '../on-host-event.ts';

function deploying(phase: DeployPhase, options: BareFleetOptions = {}): BareFleet {
  return new BareFleet({ image: 'old', deploy: { ...DEPLOY, phase }, ...options });
}

/** Why the deploy is rolled back; undefined if it is not. */
function whyBack(bare: BareFleet): string | undefined {
  const decision = bare.step().find(({ kind }) => kind === 'deploy');
  return decision?.kind === 'deploy' && decision.phase === 'rolling-back' ? decision.why : undefined;
}

describe('a deploy: the canary phase', () => {
  it('starts canaries beside the old VMs, each for the place of one of these', () => {
    const bare = deploying('canary', { deploy: { ...DEPLOY, canary: 2 }, params: { min_vm_count: 3 } });
    for (const vm of [1, 2, 3]) bare.readyOf('old', vm);
    expect(bare.step()).toMatchObject([
      { kind: 'start', rule: 'command', image: 'new', replaces: 1 },
      { kind: 'start', rule: 'command', image: 'new', replaces: 2 },
    ]);
  });

  it('has each canary stand for an old VM of its own', () => {
    const bare = deploying('canary', { deploy: { ...DEPLOY, canary: 2 }, params: { min_vm_count: 2 } });
    bare.readyOf('old', 1).readyOf('old', 2).readyOf('new', 3, { replaces: 1 });
    expect(bare.step()).toMatchObject([{ kind: 'start', image: 'new', replaces: 2 }]);
  });

  it('has no more canaries than there are VMs', () => {
    const bare = deploying('canary', { deploy: { ...DEPLOY, canary: 5 } }).readyOf('old', 1);
    expect(bare.decisions()).toEqual(['command start 10.0.0.2']);
  });

  it('starts what the rules want from the old image, once the canaries are there', () => {
    const bare = deploying('canary', { params: { min_vm_count: 3 } })
      .readyOf('old', 1)
      .readyOf('new', 2);
    expect(bare.step()).toMatchObject([{ kind: 'start', rule: 'R1', image: 'old' }]);
  });

  it('makes a canary of the first VM that R1 starts', () => {
    const bare = deploying('canary', { params: { min_vm_count: 2 } });
    expect(bare.step()).toMatchObject([
      { kind: 'start', rule: 'R1', image: 'new' },
      { kind: 'start', rule: 'R1', image: 'old' },
    ]);
  });

  it('takes one out before one comes in where no address is free', () => {
    const bare = deploying('canary', { addresses: 2 }).readyOf('old', 1).readyOf('old', 2);
    expect(bare.decisions()).toEqual(['command drain 1', 'R5 stop 1']);
    bare.apply({ kind: 'vm-draining', vm: 1, reason: 'deployed', why: '', ejected: false });
    expect(bare.decisions()).toEqual(['R5 stop 1']);
  });

  it('has a spare give up its address for a canary first', () => {
    const bare = deploying('canary', { addresses: 2, params: { spare_vm_count: 1 } })
      .readyOf('old', 1)
      .prepared(2, { imageDigest: 'old', spare: true });
    expect(bare.decisions()).toEqual(['command stop 2']);
  });

  it('drains no old VM as idle while only the canaries would be left', () => {
    const bare = deploying('canary', { params: { min_vm_count: 1 } })
      .readyOf('old', 1)
      .readyOf('new', 2);
    for (let n = 0; n < 6; n++) bare.later(1_000).report(1).report(2);
    expect(bare.decisions()).toEqual([]);
  });

  it('goes on when the canary has served for long enough', () => {
    const bare = deploying('canary').readyOf('old', 1).readyOf('new', 2);
    bare.later(9_999).report(1).report(2);
    expect(bare.decisions()).toEqual([]);
    bare.later(1);
    expect(bare.decisions()).toEqual(['deploy rolling']);
  });

  it('goes on when the last of its canaries has served for long enough, not the first', () => {
    const bare = deploying('canary', { deploy: { ...DEPLOY, canary: 2 } });
    bare.readyOf('old', 1).readyOf('old', 2).readyOf('new', 3).later(5_000).readyOf('new', 4);
    const report = () => [1, 2, 3, 4].reduce((all, vm) => all.report(vm, { cpuPercent: 50 }), bare);
    bare.later(9_999);
    report();
    expect(bare.decisions()).toEqual([]);
    bare.later(1);
    report();
    expect(bare.decisions()).toEqual(['deploy rolling']);
  });

  it('goes on at once when the canary has answered enough', () => {
    const bare = deploying('canary').readyOf('old', 1).readyOf('new', 2).answers(2, 1_000);
    expect(bare.decisions()).toEqual(['deploy rolling']);
  });

  it('counts no canary as an old VM that another could stand for', () => {
    const bare = deploying('canary', { deploy: { ...DEPLOY, canary: 5 } })
      .readyOf('old', 1)
      .readyOf('new', 2, { replaces: 1 });
    bare.busy(1).busy(2).wait(1);
    expect(bare.step()).toContainEqual(expect.objectContaining({ kind: 'start', rule: 'R3', image: 'old' }));
  });

  it('has a canary also where there are no VMs', () => {
    expect(deploying('canary').step()).toMatchObject([{ kind: 'start', rule: 'command', image: 'new' }]);
  });

  it('has the only spare give up its address for a canary where there are no VMs', () => {
    const bare = deploying('canary', { addresses: 1, params: { spare_vm_count: 1 } });
    bare.prepared(1, { imageDigest: 'old', spare: true });
    expect(bare.decisions()).toEqual(['command stop 1']);
    bare.apply({ kind: 'vm-stopping', vm: 1, nowMs: bare.nowMs, reason: 'spare-surplus', why: '' });
    expect(bare.decisions()).toEqual([]);
  });

  it('gives a canary no request while its link has no room', () => {
    const bare = deploying('canary', { params: { vm_requests_max: 100 } })
      .readyOf('old', 1)
      .readyOf('new', 2);
    bare.apply({ kind: 'vm-congested', vm: 2, congested: true });
    for (let n = 0; n < 10; n++) bare.work(bare.fleet.freeVm?.id ?? 0);
    expect([bare.fleet.vm(1)?.inFlight, bare.fleet.vm(2)?.inFlight]).toEqual([10, 0]);
  });

  it('gives a canary its share of the requests, and no more', () => {
    const bare = deploying('canary', { params: { vm_requests_max: 100 } });
    for (const vm of [1, 2, 3]) bare.readyOf('old', vm);
    bare.readyOf('new', 4);
    for (let n = 0; n < 100; n++) bare.work(bare.fleet.freeVm?.id ?? 0);
    expect(bare.fleet.vm(4)?.inFlight).toBe(25);
  });
});

describe('a deploy: going on to the rest', () => {
  it('drains an old VM when its canary is ready, and starts the next', () => {
    const bare = deploying('rolling', { params: { min_vm_count: 2 } });
    bare.readyOf('old', 1).readyOf('old', 2).readyOf('new', 3, { replaces: 1 });
    expect(bare.decisions()).toEqual(['command drain 1', 'R5 stop 1', 'command start 10.0.0.4']);
  });

  it('waits for the new VM before the old one goes', () => {
    const bare = deploying('rolling').readyOf('old', 1).booting(2, { imageDigest: 'new', replaces: 1 });
    expect(bare.decisions()).toEqual([]);
  });

  it('starts nothing but the new image', () => {
    const bare = deploying('rolling', { params: { min_vm_count: 1 } }).wait(2);
    const started = bare.step().filter(({ kind }) => kind === 'start');
    expect(started).toMatchObject([
      { rule: 'R1', image: 'new' },
      { rule: 'R3', image: 'new' },
    ]);
  });

  it('replaces spares of the old image, and uses none of them', () => {
    const bare = deploying('rolling', { params: { spare_vm_count: 1 } })
      .readyOf('new', 1)
      .prepared(2, { imageDigest: 'old', spare: true });
    expect(bare.decisions()).toEqual(['command stop 2', 'R3 prepare 10.0.0.3']);
    bare.busy(1).wait(1);
    expect(bare.step()).toContainEqual(
      expect.objectContaining({ kind: 'start', rule: 'R3', spare: false, image: 'new' }),
    );
  });

  it('leaves a spare alone of which no image is known', () => {
    const bare = new BareFleet({ image: 'new', params: { spare_vm_count: 1 } }).readyOf('new', 1);
    bare.preparing(2, { spare: true });
    expect(bare.decisions()).toEqual([]);
  });

  it('does not wait for old VMs that are only starting', () => {
    const bare = deploying('rolling', { params: { min_vm_count: 1 } }).booting(1, { imageDigest: 'old' });
    expect(bare.decisions()).toEqual(['command stop 1', 'R1 start 10.0.0.2']);
  });

  it('ends when all VMs are of the new image, those included that are being drained', () => {
    const bare = deploying('rolling').readyOf('new', 2).readyOf('old', 1);
    bare.apply({ kind: 'vm-draining', vm: 1, reason: 'deployed', why: '', ejected: false });
    expect(bare.decisions()).toEqual(['R5 stop 1']);
    bare.crash(1);
    expect(bare.decisions()).toEqual(['deploy deployed']);
  });

  it('does not end without a VM while a request waits for one', () => {
    expect(deploying('rolling').decisions()).toEqual(['deploy deployed']);
    expect(deploying('rolling').wait(1).decisions()).not.toContain('deploy deployed');
  });

  it('neither ends nor is judged while its host is away', () => {
    expect(deploying('rolling', { isUp: false }).readyOf('new', 1).decisions()).toEqual([]);
  });

  it('does not end before a new VM is ready', () => {
    const bare = deploying('rolling', { params: { min_vm_count: 1 } }).booting(1, { imageDigest: 'new' });
    expect(bare.decisions()).toEqual([]);
  });
});

describe('a deploy: the judgement', () => {
  it.each(['canary', 'rolling'] as const)('rolls back in phase %s when a new VM does not become ready', (phase) => {
    const bare = deploying(phase).readyOf('old', 1).booting(2, { imageDigest: 'new' }).crash(2);
    expect(whyBack(bare)).toBe('a new VM did not become ready (VM 2: crashed)');
  });

  it('rolls back at the first crash of a canary', () => {
    expect(whyBack(deploying('canary').readyOf('old', 1).readyOf('new', 2).crash(2))).toContain('new VMs fail');
  });

  it('bears one crash of a new VM among many, and no second', () => {
    const bare = deploying('rolling').readyOf('old', 1).readyOf('new', 2).readyOf('new', 3).crash(2);
    expect(whyBack(bare)).toBe(undefined);
    expect(whyBack(bare.crash(3))).toContain('new VMs fail');
  });

  it('takes an adopted VM that ends for one that was ready once', () => {
    const bare = deploying('rolling').readyOf('old', 1);
    const address = { id: 2, ip: '10.0.0.2', port: 9_000 };
    const adopted = { kind: 'vm-adopted', vm: 2, address, pid: 2, imageDigest: 'new', startedMs: 0 } as const;
    bare.apply(...onHostEvent(bare.fleet, { ...adopted, state: 'booting' }, { nowMs: 0, epochMs: 0 }).transitions);
    expect(whyBack(bare.crash(2))).toBe(undefined);
  });

  it('does not hold failures of old VMs against the new image', () => {
    expect(whyBack(deploying('canary').readyOf('old', 1).readyOf('new', 2).crash(1))).toBe(undefined);
  });

  it('bears two VMs that the host could not start', () => {
    const bare = deploying('rolling').readyOf('old', 1);
    for (const vm of [2, 3]) bare.preparing(vm, { imageDigest: 'new' }).crash(vm);
    expect(whyBack(bare)).toBe(undefined);
    expect(whyBack(bare.preparing(4, { imageDigest: 'new' }).crash(4))).toContain('cannot be started');
  });

  it.each([
    ['all answers of the new VMs are errors', 5, 5, 100, 0, true],
    ['one in ten is, and none of the old ones', 50, 5, 100, 0, true],
    ['there are too few errors to tell', 4, 4, 100, 0, false],
    ['the old ones answer as badly', 50, 10, 100, 20, false],
    ['they are hardly more', 100, 5, 1_000, 0, false],
  ])('judges the answers: %s', (_what, answers, errors, oldAnswers, oldErrors, isWorse) => {
    const bare = deploying('rolling').readyOf('old', 1).readyOf('new', 2);
    bare.answers(2, answers, errors).answers(1, oldAnswers, oldErrors);
    expect(whyBack(bare) !== undefined).toBe(isWorse);
  });

  it('counts lost links of new VMs as errors', () => {
    const bare = deploying('rolling').readyOf('old', 1).readyOf('new', 2);
    for (let n = 0; n < 5; n++) bare.link(2, false).link(2, true);
    expect(whyBack(bare)).toContain('answer worse');
  });
});

describe('a deploy: rolling back', () => {
  const back: BareFleetOptions = { params: { min_vm_count: 2 } };

  it('drains bad VMs at once while good ones serve, and replaces those that stood for nobody', () => {
    const bare = deploying('rolling-back', back).readyOf('old', 1).readyOf('old', 2).readyOf('new', 3, { replaces: 1 });
    expect(bare.decisions()).toEqual(['command drain 3', 'R5 stop 3']);
    const half = deploying('rolling-back', back).readyOf('old', 2).readyOf('new', 3, { replaces: 1 });
    expect(half.decisions()).toEqual(['command drain 3', 'R5 stop 3', 'command start 10.0.0.1']);
    expect(half.step()).toContainEqual(expect.objectContaining({ kind: 'start', image: 'old' }));
  });

  it('takes at most half of the fleet at a time', () => {
    const bare = deploying('rolling-back', { params: { min_vm_count: 4 } }).readyOf('old', 1);
    for (const vm of [2, 3, 4]) bare.readyOf('new', vm);
    expect(bare.decisions().filter((one) => one.startsWith('command drain'))).toHaveLength(2);
  });

  it('counts those that are on their way in among the half', () => {
    const bare = deploying('rolling-back', { params: { min_vm_count: 4 } }).readyOf('old', 1);
    for (const vm of [2, 3, 4]) bare.readyOf('new', vm);
    bare.booting(5, { imageDigest: 'old' });
    expect(bare.decisions().filter((one) => one.startsWith('command drain'))).toHaveLength(1);
  });

  it('has bad VMs go although new VMs fail, where there is no room for a good one', () => {
    const bare = deploying('rolling-back', { addresses: 2, params: { min_vm_count: 2 } });
    bare.later(1_000).booting(2, { imageDigest: 'new' }).crash(2).apply({ kind: 'released', vm: 2 });
    const address = { id: 2, ip: '10.0.0.2', port: 9_000 };
    bare.readyOf('new', 1).readyOf('new', 12, { address });
    expect(bare.decisions()).toContain('command drain 1');
  });

  it('ends although a VM of the new image has failed', () => {
    const bare = deploying('rolling-back', back).readyOf('old', 1).readyOf('old', 2);
    bare.booting(3, { imageDigest: 'new' }).crash(3);
    expect(bare.decisions()).toEqual(['deploy rolled-back']);
  });

  it('has a good VM ready before the last bad one goes', () => {
    const bare = deploying('rolling-back', { params: { min_vm_count: 1 } }).readyOf('new', 1);
    expect(bare.decisions()).toEqual(['command start 10.0.0.2']);
  });

  it('does not wait for a VM that hangs in its boot', () => {
    const bare = deploying('rolling-back', { params: { min_vm_count: 1 } }).booting(1, { imageDigest: 'new' });
    expect(bare.decisions()).toEqual(['command stop 1', 'R1 start 10.0.0.2']);
  });

  it('ends when all VMs are of the old image', () => {
    expect(deploying('rolling-back', back).readyOf('old', 1).readyOf('old', 2).decisions()).toEqual([
      'deploy rolled-back',
    ]);
  });
});

describe('a deploy on a router', () => {
  function saved(): { readonly states: DeployState[]; readonly onDeploy: (deploy: DeployState) => void } {
    const states: DeployState[] = [];
    return { states, onDeploy: (deploy) => void states.push(deploy) };
  }

  async function imagesOf(fleet: FakeFleet): Promise<readonly (string | null)[]> {
    return (await fleet.snapshot()).vms.map(({ image_digest }) => image_digest);
  }

  async function run(fleet: FakeFleet, deploy: DeployState): Promise<unknown> {
    const replies: unknown[] = [];
    const replyTo = { path: 'admin', tell: (reply: unknown) => replies.push(reply) > 0 };
    fleet.router.tell({ kind: 'deploy', deploy, replyTo });
    await fleet.settle();
    return replies[0];
  }

  async function secondsPass(fleet: FakeFleet, seconds: number): Promise<void> {
    for (let n = 0; n < seconds; n++) {
      for (const { id_vmachine: vm, state } of (await fleet.snapshot()).vms) {
        if (state === 'ready') fleet.report(vm, { cpuPercent: 50 });
      }
      await fleet.advance(1_000);
    }
  }

  it('replaces a fleet VM by VM, tells of each step, and starts the new image from then on', async () => {
    const { states, onDeploy } = saved();
    await using fleet = new FakeFleet({ image: 'old', onDeploy, params: { min_vm_count: 3 } });
    await fleet.settle();
    expect(await imagesOf(fleet)).toEqual(['old', 'old', 'old']);
    expect(await run(fleet, DEPLOY)).toMatchObject({ ok: true, vms: [1, 2, 3] });
    expect(await imagesOf(fleet)).toEqual(['old', 'old', 'old', 'new']);
    await secondsPass(fleet, 12);
    expect(await imagesOf(fleet)).toEqual(['new', 'new', 'new']);
    expect(states.map(({ phase }) => phase)).toEqual(['rolling', 'deployed']);
    expect((await fleet.snapshot()).deploy).toBe(null);
    const reasons = fleet.eventsOf('vm-drain').map(({ reason }) => reason);
    expect(reasons).toEqual(['deployed', 'deployed', 'deployed']);
    expect(fleet.eventsOf('deploy')).toHaveLength(3);
    fleet.gone(4);
    await fleet.settle();
    expect(fleet.commands.findLast(({ kind }) => kind === 'prepare')).toMatchObject({ image: 'new' });
  });

  it('is over at once for the image that is deployed, and does not say that it replaces itself', async () => {
    const { onDeploy } = saved();
    await using fleet = new FakeFleet({ image: 'new', onDeploy, params: { min_vm_count: 2 } });
    await fleet.settle();
    expect(await run(fleet, { ...DEPLOY, before: 'new', phase: 'rolling' })).toMatchObject({ ok: true, vms: [] });
    await secondsPass(fleet, 1);
    expect(fleet.eventsOf('deploy').map(({ text }) => text)).toEqual([
      'image new, which is deployed, is deployed again: VMs of other images: 0 (command)',
      expect.stringContaining('image new is deployed: '),
    ]);
    expect(await imagesOf(fleet)).toEqual(['new', 'new']);
  });

  it('puts the old image back when the canary fails, and says why', async () => {
    const { states, onDeploy } = saved();
    await using fleet = new FakeFleet({ image: 'old', onDeploy, params: { min_vm_count: 2 } });
    await fleet.settle();
    await run(fleet, DEPLOY);
    fleet.gone(3, 'guest panicked');
    await secondsPass(fleet, 2);
    expect(await imagesOf(fleet)).toEqual(['old', 'old']);
    const why = 'new VMs fail (VM 3: guest panicked)';
    expect(states).toMatchObject([
      { phase: 'rolling-back', why },
      { phase: 'rolled-back', why },
    ]);
    fleet.gone(1);
    await secondsPass(fleet, 1);
    expect(fleet.commands.findLast(({ kind }) => kind === 'prepare')).toMatchObject({ image: 'old' });
  });

  it('names the VMs that it replaces: none that is of the image already', async () => {
    await using fleet = new FakeFleet({ image: 'old', params: { min_vm_count: 2 } });
    await fleet.settle();
    expect(await run(fleet, { ...DEPLOY, image: 'old', phase: 'rolling' })).toMatchObject({ ok: true, vms: [] });
  });

  it('is refused while another runs, and nothing happens if it is told twice', async () => {
    await using fleet = new FakeFleet({ image: 'old', params: { min_vm_count: 1 } });
    await fleet.settle();
    await run(fleet, DEPLOY);
    expect(await run(fleet, DEPLOY)).toMatchObject({ ok: true });
    expect(await run(fleet, { ...DEPLOY, id: 2, image: 'newer' })).toMatchObject({
      ok: false,
      error: { code: 'DEPLOY_RUNNING' },
    });
  });

  it('is rolled back when an administrator says so, and refuses that when none runs', async () => {
    const { states, onDeploy } = saved();
    await using fleet = new FakeFleet({ image: 'old', onDeploy, params: { min_vm_count: 1 } });
    await fleet.settle();
    const replies: unknown[] = [];
    const replyTo = { path: 'admin', tell: (reply: unknown) => replies.push(reply) > 0 };
    fleet.router.tell({ kind: 'roll-back', why: 'asked for', replyTo });
    await run(fleet, DEPLOY);
    fleet.router.tell({ kind: 'roll-back', why: 'asked for', replyTo });
    await secondsPass(fleet, 2);
    expect(replies).toMatchObject([{ ok: false, error: { code: 'DEPLOY_NONE' } }, { ok: true }]);
    expect(await imagesOf(fleet)).toEqual(['old']);
    expect(states.at(-1)).toMatchObject({ phase: 'rolled-back', why: 'asked for' });
  });

  it('goes on in the next router', async () => {
    const { states, onDeploy } = saved();
    const deploy = { ...DEPLOY, phase: 'rolling' } as const;
    await using fleet = new FakeFleet({ image: 'old', deploy, onDeploy, isUp: false, params: { min_vm_count: 2 } });
    for (const [vm, imageDigest] of [
      [11, 'old'],
      [12, 'new'],
    ] as const) {
      const address = { id: vm - 10, ip: `10.0.0.${vm - 10}`, port: 9_000 };
      fleet.event({ kind: 'vm-adopted', vm, address, pid: vm, imageDigest, startedMs: 0, state: 'answering' });
      fleet.answering(vm);
    }
    fleet.event({ kind: 'host-up' });
    await secondsPass(fleet, 2);
    expect(await imagesOf(fleet)).toEqual(['new', 'new']);
    expect(states.map(({ phase }) => phase)).toEqual(['deployed']);
  });
});
