import type { FleetSnapshot } from '../fleet/mod.ts';

/** The snapshot of one host, or that the host does not answer. */
export interface HostLook {
  readonly host: string;
  readonly snapshot: FleetSnapshot | undefined;
}

/** One view of all hosts of a fleet. A host that does not answer is out of reach. */
export function mergedSnapshot(looks: readonly HostLook[]): FleetSnapshot {
  const seen = looks.flatMap(({ host, snapshot }) => (snapshot === undefined ? [] : [{ host, snapshot }]));
  const [only] = seen;
  if (only !== undefined && looks.length === 1) return only.snapshot;
  const snapshots = seen.map(({ snapshot }) => snapshot);
  const sum = (figure: (snapshot: FleetSnapshot) => number): number =>
    snapshots.reduce((total, snapshot) => total + figure(snapshot), 0);
  return {
    vms: snapshots.flatMap(({ vms }) => vms),
    hosts: looks.flatMap(({ host, snapshot }) => snapshot?.hosts ?? [{ host, up: false }]),
    neighbours: [],
    cordoned: snapshots.every(({ cordoned }) => cordoned),
    waiting: sum(({ waiting }) => waiting),
    addresses: sum(({ addresses }) => addresses),
    addresses_free: sum(({ addresses_free }) => addresses_free),
    blocked:
      seen.flatMap(({ host, snapshot: { blocked } }) => (blocked === null ? [] : `${host}: ${blocked}`))[0] ?? null,
    deploy: snapshots.map(({ deploy }) => deploy).find((deploy) => deploy) ?? null,
    requests: {
      accepted: sum(({ requests }) => requests.accepted),
      ok: sum(({ requests }) => requests.ok),
      failed: added(snapshots.map(({ requests }) => requests.failed)),
      handed: {
        on: sum(({ requests }) => requests.handed.on),
        refused: sum(({ requests }) => requests.handed.refused),
        in: sum(({ requests }) => requests.handed.in),
      },
      routed: added(snapshots.map(({ requests }) => requests.routed)),
    },
    uptime_ms: snapshots.reduce((most, { uptime_ms }) => Math.max(most, uptime_ms), 0),
  };
}

function added(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const one of all) {
    for (const [name, count] of Object.entries(one)) sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return Object.fromEntries(sums);
}

/** Several hosts may have a VM of one number. */
export function vmName({ host, id_vmachine }: { host: string; id_vmachine: number }, isMany: boolean): string {
  return isMany ? `${host}/${id_vmachine}` : String(id_vmachine);
}

/** Whether VMs run different images, or are about to: only then is the image of each worth a column. */
export function hasManyImages({ vms, deploy }: Pick<FleetSnapshot, 'vms' | 'deploy'>): boolean {
  // An older fleet gives neither.
  return (deploy ?? null) !== null || new Set(vms.map(({ image_digest }) => image_digest)).size > 1;
}

/** Whether the number of a VM needs its host's name. */
export function hasManyHosts({ hosts }: Pick<FleetSnapshot, 'hosts'>): boolean {
  return hosts.length > 1;
}
