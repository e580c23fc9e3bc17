import { join } from 'node:path';
import { signalProcess } from '../../src/process/mod.ts';
import { willEnd } from './end-left.ts';
import { eventually } from './fleet.ts';
import { type FleetPlace, upOf } from './processes.ts';
import { ShoalProcess } from './shoal-process.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** The demo as `npm run demo` runs it, but without the set-up; its temporary folder is made in `folder`. */
export class DemoProcess extends ShoalProcess {
  constructor(args: readonly string[], folder: string, env: NodeJS.ProcessEnv = {}) {
    super(args, {
      command: join(ROOT, 'bin', 'node'),
      before: [join(ROOT, 'demo', 'main.ts')],
      env: { TMPDIR: folder, INIT_CWD: folder, ...env },
    });
  }

  /** The place of its fleet, which the demo prints before it starts the fleet. */
  async place(): Promise<FleetPlace> {
    const [, pool, data] = / at (\S+), with its data in (\S+) /.exec(await this.firstLine()) ?? [];
    if (pool === undefined || data === undefined) throw new Error('the demo did not say where its fleet is');
    const place = { data, pool };
    willEnd(place);
    return place;
  }

  /** Kills `shoal up` with SIGKILL. */
  async killFleet(place: FleetPlace): Promise<void> {
    signalProcess(await eventually('shoal up runs', () => upOf(place)), 'SIGKILL');
  }
}
