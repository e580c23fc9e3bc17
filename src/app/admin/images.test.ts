import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../actors/mod.ts';
import { BUILT_IN_PROFILE, loadImage } from '../../hypervisor/mod.ts';
import { DataDir } from '../data-dir.ts';
import { Deploys } from '../deploy/deploys.ts';
import { keepImage } from '../kept-image.ts';
import type { AdminDeps } from './deps.ts';
import { imageHandlers } from './images.ts';

test('no deploy begins while the host cannot be looked at', async () => {
  const path = mkdtempSync(join(tmpdir(), 'shoal-images-'));
  const data = await DataDir.open(path);
  onTestFinished(() => {
    data.close();
    rmSync(path, { recursive: true });
  });
  const file = join(path, 'vmlinuz');
  const kernel = Buffer.alloc(1_024);
  kernel.writeUInt16LE(0xaa55, 0x1fe);
  kernel.write('HdrS', 0x202, 'latin1');
  writeFileSync(file, kernel);
  writeFileSync(`${file}.shoal.json`, JSON.stringify({ machine: 'pc', boot: 'linux' }));
  const { digest } = await keepImage(data, await loadImage(file));
  const deploys = new Deploys({
    store: { last: undefined, save: async () => undefined },
    clock: systemClock,
    host: 'here',
    image: '0'.repeat(64),
    kept: {
      parametersOf: () => ({}),
      profileOf: () => undefined,
      mostOf: () => ({ memoryMib: 16, profile: BUILT_IN_PROFILE }),
    },
    check: () => new Promise(() => undefined),
    onEvent: () => undefined,
  });
  const list = () => Promise.reject(new Error('/proc cannot be read'));
  // The verb uses no other port before that.
  const deps = { data, deploys, list, settings: { holdsVms: false } } as unknown as AdminDeps;
  const deployed = async () => imageHandlers(deps)['image-deploy']?.({ digest, canary: 0, canary_ms: 0 });
  await expect(deployed()).rejects.toThrow('/proc cannot be read');
  expect(deploys.document.deploy).toBeNull();
});
