import { expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../../actors/kit/mod.ts';
import { ShoalError } from '../../errors.ts';
import type { OwnDeploy } from '../deploy/own-deploy.ts';
import type { BuiltService } from './build-service.ts';
import { ServiceWatch } from './service-watch.ts';

const DIGEST = 'a'.repeat(64);
const QUIET_MS = 50;

/** Lets what waits for promises go on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function world() {
  const clock = new ManualClock();
  const said: string[] = [];
  const watched: (readonly string[])[] = [];
  let changed = (): void => undefined;
  /** How the builds and deploys to come end, the next one first; a build or a deploy without one is under way. */
  const builds: (readonly string[] | { readonly fault: Error; readonly inputs: readonly string[] })[] = [];
  const deploys: (Partial<OwnDeploy> | Error)[] = [];
  const calls: string[] = [];
  let goOn = (): void => undefined;
  const ended = <T>(list: T[]): Promise<T> => {
    const next = list.shift();
    if (next !== undefined) return Promise.resolve(next);
    return new Promise((resolve) => {
      goOn = () => resolve(list.shift() ?? expect.unreachable('an end is given first'));
    });
  };
  const built: BuiltService = { image: '/image', profile: undefined };
  let inputs: readonly string[] = ['/hello.ts'];
  const watch = new ServiceWatch({
    source: '/hello.ts',
    build: async () => {
      calls.push('build');
      const outcome = await ended(builds);
      inputs = 'fault' in outcome ? outcome.inputs : outcome;
      if ('fault' in outcome) throw outcome.fault;
      return built;
    },
    inputs: () => new Map(inputs.map((path) => [path, ''])),
    deploy: async () => {
      calls.push('deploy');
      const outcome = await ended(deploys);
      if (outcome instanceof Error) throw outcome;
      return { digest: DIGEST, end: 'deployed', why: null, ...outcome };
    },
    watch: (onChange) => {
      changed = onChange;
      return { update: (now) => void watched.push([...now.keys()]), close: () => void calls.push('closed') };
    },
    clock,
    say: (line) => said.push(line),
  });
  onTestFinished(() => watch.close());
  return {
    ...{ clock, said, watched, builds, deploys, calls, watch },
    save: () => changed(),
    goOn: () => goOn(),
    quiet: async () => {
      await settle();
      // What is saved meanwhile makes it wait once more.
      await clock.advance(QUIET_MS);
      await settle();
      await settle();
    },
  };
}

const INPUTS = ['/hello.ts'];

test('what was saved since the start, or is newer than what runs, is deployed first', async () => {
  const { calls, builds, deploys, said, quiet } = world();
  builds.push(INPUTS);
  deploys.push({});
  await quiet();
  expect([calls, said]).toEqual([['build', 'deploy'], ['hello.ts is deployed as image aaaaaaaaaaaa']]);
});

test('several saves in a row are one build, and one that changes nothing is not worth a word', async () => {
  const { calls, builds, deploys, said, quiet, save, clock } = world();
  builds.push(INPUTS, INPUTS);
  deploys.push({ end: 'same' }, { end: 'same' });
  await quiet();
  save();
  await settle();
  await clock.advance(QUIET_MS / 2);
  save();
  save();
  await clock.advance(QUIET_MS / 2);
  await settle();
  await quiet();
  expect([calls, said]).toEqual([['build', 'deploy', 'build', 'deploy'], []]);
});

test('a program that saves without a pause does not keep the service from being deployed', async () => {
  const { calls, builds, deploys, save, clock } = world();
  builds.push(INPUTS);
  deploys.push({});
  for (let round = 0; round < 50 && calls.length === 0; round += 1) {
    await settle();
    save();
    await clock.advance(QUIET_MS);
  }
  await settle();
  expect(calls).toEqual(['build', 'deploy']);
});

test('what is saved during a deploy is deployed after it', async () => {
  const { calls, builds, deploys, quiet, save, goOn } = world();
  builds.push(INPUTS);
  await quiet();
  save();
  save();
  await quiet();
  expect(calls).toEqual(['build', 'deploy']);
  builds.push(INPUTS);
  deploys.push({}, {});
  goOn();
  await quiet();
  expect(calls).toEqual(['build', 'deploy', 'build', 'deploy']);
});

test('a service that cannot be built is not deployed, and the next save is, also of a file that only the faulty one has', async () => {
  const { calls, builds, deploys, said, quiet, save, watched } = world();
  const fault = new ShoalError('SERVICE_INVALID', 'The service /hello.ts:2 cannot be used: x');
  builds.push({ fault, inputs: ['/faulty.ts'] });
  await quiet();
  expect(calls).toEqual(['build']);
  expect(said).toEqual(['The service /hello.ts:2 cannot be used: x [SERVICE_INVALID]: what ran before goes on']);
  builds.push(['/hello.ts', '/lib.ts']);
  deploys.push({});
  save();
  await quiet();
  expect(calls).toEqual(['build', 'build', 'deploy']);
  expect(watched).toEqual([['/hello.ts'], ['/hello.ts', '/faulty.ts'], ['/hello.ts', '/lib.ts']]);
});

test.each([
  ['rolled-back', 'a new VM did not become ready'],
  ['refused', 'its check failed'],
] as const)('a deploy that is %s is told with its reason', async (end, why) => {
  const { builds, deploys, said, quiet } = world();
  builds.push(INPUTS);
  deploys.push({ end, why });
  await quiet();
  expect(said).toEqual([`hello.ts is not deployed: ${why}. What ran before goes on`]);
});

test('a deploy that cannot begin is told, and the next save is deployed', async () => {
  const { calls, builds, deploys, said, quiet, save } = world();
  builds.push(INPUTS, INPUTS);
  deploys.push(new ShoalError('DEPLOY_RUNNING', 'another one has begun'), {});
  await quiet();
  save();
  await quiet();
  expect(calls).toEqual(['build', 'deploy', 'build', 'deploy']);
  expect(said[0]).toBe('hello.ts is not deployed: another one has begun [DEPLOY_RUNNING]');
});

test.each([
  ['a build', INPUTS],
  ['one that fails', { fault: new Error('no'), inputs: INPUTS }],
])('after its end, which comes during %s, nothing is built, deployed or said any more', async (_, outcome) => {
  const { calls, builds, said, quiet, watch, save, goOn } = world();
  await quiet();
  watch.close();
  builds.push(outcome);
  goOn();
  save();
  await quiet();
  expect([calls, said]).toEqual([['build', 'closed'], []]);
});
