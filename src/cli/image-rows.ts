import { rowIn, rowsIn } from '../console/mod.ts';
import { CANARY_ANSWERS, shortDigest } from '../fleet/mod.ts';
import { type Column, table } from './output.ts';

/** What one host says of its image. */
export interface ImageRow {
  readonly host: string;
  readonly image: string;
  readonly before: string | null;
  readonly vms: readonly { readonly image: string; readonly vms: number }[];
  readonly deploy: DeployRow | null;
}

interface DeployRow {
  readonly image: string;
  readonly before: string;
  readonly phase: string;
  readonly why: string | null;
  readonly canary: number;
  readonly canary_ms: number;
  readonly new_answers: number | null;
  readonly new_errors: number | null;
  /** Tells one deploy of a host from another. */
  readonly started_ms: number;
  readonly ended_ms: number | null;
}

/** @throws NATS_MESSAGE_INVALID */
export function imageRow(value: unknown): ImageRow {
  const row = rowIn<ImageRow>('image-status', value, { host: 'string', image: 'string', before: 'string?' });
  rowsIn<ImageRow['vms'][number]>('image-status', row.vms, { image: 'string', vms: 'number' });
  if (row.deploy !== null) {
    rowIn<DeployRow>('image-status', row.deploy, {
      image: 'string',
      before: 'string',
      phase: 'string',
      why: 'string?',
      canary: 'number',
      canary_ms: 'number',
      started_ms: 'number',
      ended_ms: 'number?',
    });
  }
  return row;
}

export function hasEnded({ deploy }: ImageRow): boolean {
  return deploy === null || deploy.ended_ms !== null;
}

/** How far the deploy is, for people. */
export function stepOf({ deploy }: ImageRow): string {
  if (deploy === null) return 'nothing was deployed';
  const name = shortDigest(deploy.image);
  const why = deploy.why === null ? '' : `: ${deploy.why}`;
  switch (deploy.phase) {
    case 'checking':
      return `image ${name} is checked on a VM of its own`;
    case 'canary':
      return `image ${name} is tried on ${canaries(deploy)}`;
    case 'rolling':
      return deploy.image === deploy.before
        ? `image ${name} is deployed again`
        : `image ${name} replaces ${shortDigest(deploy.before)}`;
    case 'rolling-back':
      return `image ${name} is being rolled back${why}`;
    case 'deployed':
      return `image ${name} is deployed`;
    case 'rolled-back':
      return `image ${name} was rolled back${why}`;
    case 'refused':
      return `image ${name} was not deployed${why}`;
    default:
      return `image ${name}: ${deploy.phase}${why}`;
  }
}

/** With what ends it: a fleet without requests shows nothing else meanwhile. */
function canaries({ canary, canary_ms }: DeployRow): string {
  const seconds = Math.round(canary_ms / 1_000);
  return `${canary === 1 ? '1 canary' : `${canary} canaries`}, for ${seconds} s or ${CANARY_ANSWERS} answers`;
}

const COLUMNS: readonly Column<ImageRow>[] = [
  { title: 'HOST', cell: (row) => row.host },
  { title: 'IMAGE', cell: (row) => shortDigest(row.image) },
  {
    title: 'VMS',
    cell: ({ vms }) => vms.map(({ image, vms: count }) => `${count} on ${shortDigest(image)}`).join(', ') || '-',
  },
  { title: 'DEPLOY', cell: stepOf },
];

export function imageTable(rows: readonly ImageRow[]): string {
  return table(COLUMNS, rows);
}
