import { join } from 'node:path';
import { signalProcess } from '../../src/process/mod.ts';
import { willEnd } from './end-left.ts';
import { eventually } from './fleet.ts';
import { type FleetPlace, upOf } from './processes.ts';
import { ShoalProcess } from './shoal-process.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** The demo as `npm run demo` runs it, the set-up aside; its temporary folder is made in `folder`. */
export class DemoProcess extends ShoalProcess {
  constructor(args: readonly string[], folder: string, env: NodeJS.ProcessEnv = {}) {
    super(args, {
      command: join(ROOT, 'bin', 'node'),
      before: [join(ROOT, 'demo', 'main.ts')],
      env: { TMPDIR: folder, INIT_CWD: folder, ...env },
    });
  }

  /** Where its fleet is; it says so before it starts it. */
  async place(): Promise<FleetPlace> {
    const [, pool, data] = / at (\S+), with its data in (\S+) /.exec(await this.firstLine()) ?? [];
    if (pool === undefined || data === undefined) throw new Error('the demo did not say where its fleet is');
    const place = { data, pool };
    willEnd(place);
    return place;
  }

  /** Ends `shoal up` as no program can prepare for. */
  async killFleet(place: FleetPlace): Promise<void> {
    signalProcess(await eventually('shoal up runs', () => upOf(place)), 'SIGKILL');
  }
}
