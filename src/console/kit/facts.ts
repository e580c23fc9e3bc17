import fc from 'fast-check';
import type { FleetSnapshot, VmRow } from '../../fleet/mod.ts';
import { EventLines } from '../event-lines.ts';
import type { Facts, Hints } from '../facts.ts';
import { History } from '../history.ts';

export const HINTS: Hints = { send: 'shoal send "some text"', quit: 'quit', canSuspend: true };

export function vmRow(id: number, fields: Partial<VmRow> = {}): VmRow {
  return {
    id_vmachine: id,
    id_ip: id,
    host: 'here',
    address: `127.0.1.${id}:9000`,
    state: 'ready',
    reason: null,
    cpu: 0,
    ram: 1_200_000,
    memory_mib: 16,
    free_count: 0,
    in_flight: 0,
    served: 0,
    image_digest: null,
    uptime_ms: 61_000,
    ...fields,
  };
}

export function snapshotOf(vms: readonly VmRow[], fields: Partial<FleetSnapshot> = {}): FleetSnapshot {
  return {
    vms,
    hosts: [{ host: 'here', up: true }],
    waiting: 0,
    blocked: null,
    addresses: 16,
    addresses_free: 16 - vms.length,
    requests: { accepted: 0, ok: 0, failed: {}, routed: {}, handed: { on: 0, refused: 0, in: 0 } },
    deploy: null,
    neighbours: [],
    cordoned: false,
    uptime_ms: 61_000,
    ...fields,
  };
}

/** What is known after these looks, a second apart. */
export function factsOf(looks: readonly FleetSnapshot[], fields: Partial<Facts> = {}): Facts {
  const history = new History();
  for (const [index, look] of looks.entries()) history.add(look, index * 1_000);
  return {
    fleet: 'default',
    nats: 'nats://127.0.0.1:4222',
    snapshot: looks.at(-1) ?? snapshotOf([]),
    lost: undefined,
    history: history.samples,
    events: [],
    ...fields,
  };
}

const STATES = ['preparing', 'prepared', 'booting', 'ready', 'draining', 'stopping', 'gone', 'unknown'] as const;

/** Text as nobody would write it: controls, joiners, pictures, wide letters. */
const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.constant('漢字かな'));
const anyCount = fc.oneof(fc.nat(20), fc.maxSafeNat());
const anyFigure = fc.oneof(fc.nat(100), fc.double({ min: 0, noNaN: true }));

const anyVm: fc.Arbitrary<VmRow> = fc.record({
  id_vmachine: fc.integer({ min: 1, max: 1_000_000 }),
  id_ip: fc.nat(1_000),
  host: anyText,
  address: anyText,
  state: fc.constantFrom(...STATES),
  reason: fc.constant(null),
  cpu: fc.option(anyFigure),
  ram: fc.option(anyFigure),
  memory_mib: fc.option(anyCount),
  free_count: anyCount,
  in_flight: anyCount,
  served: anyCount,
  image_digest: fc.option(anyText),
  uptime_ms: fc.option(fc.oneof(anyCount, fc.integer())),
});

export const anySnapshot: fc.Arbitrary<FleetSnapshot> = fc.record({
  vms: fc.uniqueArray(anyVm, { selector: (vm) => vm.id_vmachine, maxLength: 60 }),
  hosts: fc.array(fc.record({ host: anyText, up: fc.boolean() }), { maxLength: 4 }),
  waiting: anyCount,
  blocked: fc.option(anyText),
  deploy: fc.constant(null),
  addresses: anyCount,
  addresses_free: anyCount,
  requests: fc.record({
    accepted: anyCount,
    ok: anyCount,
    failed: fc.dictionary(fc.constantFrom('413', '502', '503', '504'), anyCount),
    routed: fc.constant({}),
    handed: fc.record({ on: anyCount, refused: anyCount, in: anyCount }),
  }),
  neighbours: fc.constant([]),
  cordoned: fc.boolean(),
  uptime_ms: anyCount,
});

const anyEvent = fc.record({
  atMs: fc.oneof(fc.nat(), fc.maxSafeNat()),
  kind: fc.constantFrom('vm-start', 'vm-ready', 'vm-gone', 'host-down', 'unidentified'),
  text: anyText,
});

export const anyFacts: fc.Arbitrary<Facts> = fc
  .record({
    fleet: anyText,
    nats: anyText,
    lost: fc.option(anyText, { nil: undefined }),
    looks: fc.array(anySnapshot, { maxLength: 5 }),
    events: fc.array(anyEvent, { maxLength: 60 }),
  })
  .map(({ looks, events, ...rest }) => {
    const lines = new EventLines();
    for (const event of events) lines.add(event);
    return factsOf(looks, { ...rest, events: lines.latest });
  });

export { anyText };
