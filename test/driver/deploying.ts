import type { TestFleet } from './fleet.ts';
import { RequestHistory, type Sums, startLoad } from './request-history.ts';
import { randomFrom, seed } from './seed.ts';
import type { Finished } from './shoal-process.ts';

export const WORKERS = 6;
const DEADLINE_MS = 30_000;

/** What `shoal image status` says of a host. */
export interface DeployStatus {
  readonly image: string;
  readonly vms: readonly { readonly image: string; readonly vms: number }[];
  readonly deploy: {
    readonly image: string;
    readonly phase: string;
    readonly why: string | null;
    readonly ended_ms: number | null;
  };
}

/** Runs something while clients send, one request after the other, before, meanwhile and after. */
export async function underLoad(
  fleet: TestFleet,
  run: () => Promise<void>,
  { workers = WORKERS, deadlineMs = DEADLINE_MS } = {},
): Promise<Sums> {
  const history = await RequestHistory.open(fleet.ready);
  const load = startLoad({ history, workers, deadlineMs, random: randomFrom(seed) });
  try {
    await history.replies(workers);
    await run();
    await history.replies(workers);
  } finally {
    await load.stop();
  }
  return history.close();
}

export async function statusOf(fleet: TestFleet): Promise<DeployStatus> {
  // A test checks the form of it.
  const [status] = (await fleet.json('image', ['status'])) as readonly DeployStatus[];
  if (status === undefined) throw new Error('there is one host');
  return status;
}

export function deploy(fleet: TestFleet, image: string, ...flags: readonly string[]): Promise<Finished> {
  return fleet.run('image', ['deploy', image, '--wait', '--canary-time', '1', ...flags]);
}

/** A deploy that must succeed. @throws Error with what it said */
export async function deployed(fleet: TestFleet, image: string, ...flags: readonly string[]): Promise<void> {
  const { exitCode, stdout, stderr } = await deploy(fleet, image, ...flags);
  if (exitCode !== 0) throw new Error(`the deploy of ${image} ended with ${exitCode}: ${stderr} ${stdout}`);
}
