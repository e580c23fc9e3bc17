import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { makeParams } from '../../fleet/mod.ts';
import { leastKernel } from '../../hypervisor/kit/mod.ts';
import { type ImageInfo, loadImage } from '../../hypervisor/mod.ts';
import type { StoredDeploy, StoredPhase } from '../../store/mod.ts';
import type { DataDir } from '../data-dir.ts';
import { keepImage } from '../kept-image.ts';
import { temporaryData } from '../testing/temporary-data.ts';
import type { DeployOrder } from './deploys.ts';
import { KeptImages } from './kept-images.ts';
import { deployHere } from './own-deploy.ts';

interface Source {
  /** Tells one engine from another. */
  readonly engine?: number;
  readonly service?: string | undefined;
  readonly memoryMib?: number;
}

interface How {
  readonly holdsVms?: boolean;
  readonly end?: StoredPhase;
  /** Another deploy has followed. */
  readonly isReplaced?: boolean;
}

let data: DataDir;
beforeEach(async () => {
  data = await temporaryData();
});

/** An image that boots with a service as its initial ramdisk. */
function imageOf({ engine = 1, service, memoryMib = 32 }: Source): Promise<ImageInfo> {
  const file = join(data.path, 'hello.elf');
  const kernel = leastKernel();
  kernel.writeUInt8(engine, kernel.length - 1);
  writeFileSync(file, kernel);
  writeFileSync(join(data.path, 'hello.service'), `070701${service}`);
  const initrd = service === undefined ? {} : { initrd: 'hello.service' };
  writeFileSync(
    join(data.path, 'hello.shoal.json'),
    JSON.stringify({ machine: 'pc', boot: 'linux', memoryMib, ...initrd }),
  );
  return loadImage(file);
}

const ONE: Source = { service: 'one' };

/** One image runs, and another is deployed. */
async function deploy(before: Source, next: Source, how: How = {}) {
  const { holdsVms = true, end = 'deployed', isReplaced = false } = how;
  const { digest: image } = await keepImage(data, await imageOf(before));
  const orders: DeployOrder[] = [];
  const asked: string[] = [];
  const deploys = {
    ...{ image, needed: [] },
    ended: async () => {
      asked.push('ended');
      const [order] = orders;
      const last = { image: isReplaced ? 'c'.repeat(64) : order?.image, phase: end, why: 'because' };
      // Only these fields are read.
      return order === undefined ? null : (last as StoredDeploy);
    },
    deploy: async (order: DeployOrder) => {
      asked.push('deploy');
      orders.push(order);
    },
  };
  const kept = new KeptImages({
    ...{ data, params: () => makeParams(), acceleratorOf: async () => 'tcg' as const, qemuOf: () => undefined },
  });
  const deps = {
    data,
    deploys,
    kept,
    parameters: { imageDigest: image },
    inUse: async () => [],
    serving: async () => [image],
    settings: { holdsVms },
  };
  return { orders, asked, result: deployHere(deps, await imageOf(next)) };
}

test.each<[string, Source, Source, boolean]>([
  ['another service in the same engine is not booted once beforehand', ONE, { service: 'two' }, true],
  ['a service in another engine is', ONE, { engine: 2, service: 'two' }, false],
  ['one with other memory is', ONE, { service: 'two', memoryMib: 48 }, false],
  ['an image without a service is', { engine: 1 }, { engine: 2 }, false],
])('%s', async (_, before, next, isChecked) => {
  const { orders, asked, result } = await deploy(before, next);
  expect(await result).toMatchObject({ end: 'deployed' });
  expect(orders).toMatchObject([{ canary: 0, canaryMs: 0, isChecked }]);
  // An earlier deploy ends first.
  expect(asked).toEqual(['ended', 'deploy', 'ended']);
});

test('what runs already is not deployed', async () => {
  const { orders, result } = await deploy(ONE, ONE);
  expect([await result, orders]).toMatchObject([{ end: 'same', why: null }, []]);
});

test('a host that may have VMs tries one', async () => {
  const { orders, result } = await deploy(ONE, { service: 'two' }, { holdsVms: false });
  await result;
  expect(orders).toMatchObject([{ canary: 1 }]);
});

test.each<[StoredPhase, string]>([
  ['deployed', 'deployed'],
  ['refused', 'refused'],
  ['rolling-back', 'rolled-back'],
])('its end, %s, is told', async (end, told) => {
  const { result } = await deploy(ONE, { service: 'two' }, { end });
  expect(await result).toMatchObject({ end: told, why: 'because' });
});

test('one that another has followed is told', async () => {
  const { result } = await deploy(ONE, { service: 'two' }, { isReplaced: true });
  await expect(result).rejects.toMatchObject({ code: 'DEPLOY_RUNNING' });
});
