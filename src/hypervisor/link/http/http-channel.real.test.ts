import { expect, test } from 'vitest';
import { probe } from '../../../actors/kit/mod.ts';
import { createSystem } from '../../../actors/mod.ts';
import type { LinkEvent } from '../../../fleet/mod.ts';
import { BUILT_IN_PROFILE } from '../../profile/shipped.ts';
import { heard, patience, realHypervisor } from '../../testing/mod.ts';
import { link } from '../link.ts';
import { httpSettingsOf } from './http-settings.ts';

const CONNECTIONS = 17;
const REQUESTS = 400;

test('many requests at once to a real guest over HTTP: each to its own reply, over as many connections as are allowed', async () => {
  await using real = await realHypervisor();
  const spec = await real.spec();
  const machine = await real.hypervisor.prepare(spec);
  const ready = heard(machine, 'shoal1 ready');
  await machine.start();
  await ready;
  const system = createSystem();
  try {
    const owner = probe<LinkEvent>(system, { patience });
    let opened = 0;
    const connect = () => {
      opened += 1;
      return real.hypervisor.connect(spec);
    };
    const http = httpSettingsOf({ ...BUILT_IN_PROFILE, protocol: 'http' }, () => CONNECTIONS);
    const target = { vm: 1, address: spec.address };
    const ref = system.spawn(link(target, owner.ref, { connect, http, textBytesMax: spec.textBytesMax }));
    await owner.expect({ kind: 'link-ready' });
    const texts = Array.from({ length: REQUESTS }, (_, id) =>
      id % 40 === 0 ? `big ${id} `.repeat(2_000) : `text ${id}`,
    );
    for (const [id, text] of texts.entries()) {
      ref.tell({ kind: 'request', id, op: 'upper', token: Buffer.alloc(0), payload: Buffer.from(text) });
    }
    for (let answered = 0; answered < REQUESTS; answered++) {
      const event = await owner.expect();
      if (event.kind !== 'link-reply') throw new Error(`unexpected ${JSON.stringify(event)}`);
      expect(Buffer.from(event.payload).toString()).toBe(texts[event.id]?.toUpperCase());
    }
    expect(opened).toBeLessThanOrEqual(CONNECTIONS + 1);
    ref.tell({ kind: 'request', id: 1, op: 'spin', token: Buffer.alloc(0), payload: Buffer.from('60000') });
    ref.tell({ kind: 'cancel', id: 1 });
    await owner.expect({ kind: 'link-error', id: 1, status: 499 });
    ref.tell({ kind: 'request', id: 2, op: 'nope', token: Buffer.alloc(0), payload: Buffer.from('x') });
    await owner.expect({ kind: 'link-error', id: 2, status: 404 });
    machine.signal('SIGKILL');
    await owner.fishFor({ kind: 'link-lost', sent: [], unsent: [] });
  } finally {
    await system.shutdown();
  }
});
