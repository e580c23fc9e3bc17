import { messageOf } from '../../errors.ts';
import { STOP_LIMITS } from '../controller/controller-options.ts';
import type { MachineExit } from '../port.ts';
import { powerOffOf } from '../profile/shipped.ts';
import { NEW_STATE } from '../vm/lifecycle-state.ts';
import { endOf } from '../vm/vm-end.ts';
import type { CheckContext } from './check-context.ts';
import { exitText } from './exit-text.ts';

/** Asks the guest to stop as a drain does, and looks how it ends. */
export async function checkStop(
  { list, heard, profile, spec, machine, clock }: CheckContext,
  gone: Promise<MachineExit>,
): Promise<void> {
  const { console } = profile;
  const powerOff = powerOffOf(spec);
  const limitMs = STOP_LIMITS.consoleMs;
  const startMs = clock.monotonic();
  try {
    if (powerOff.ask === 'powerdown') await machine.pressPowerButton();
    else machine.writeConsole('stop\n');
  } catch (error) {
    return list.failed('stop', messageOf(error));
  }
  await heard.until(() => false, limitMs);
  const exit = heard.isOver ? await gone : undefined;
  const ms = Math.round(clock.monotonic() - startMs);
  if (powerOff.by === 'exit' || console.format === 'none') list.skipped('stop', 'it tells its stop by its exit alone');
  else if (heard.bye === 'stop') list.ok('stop', 'bye reason=stop');
  else if (heard.bye !== undefined) list.failed('stop', `it says bye reason=${heard.bye}, and not stop`);
  else list.failed('stop', `no bye within ${limitMs} ms; ${heard.lastWords}`);
  if (exit === undefined) return list.failed('exit', `it runs on ${limitMs} ms after it was told to stop`);
  const state = { ...NEW_STATE, phase: { name: 'stopping', stage: 'console', graceMs: 0 }, bye: heard.bye } as const;
  const { end } = endOf(state, exit, undefined, powerOff);
  if (end.clean) list.ok('exit', `after ${ms} ms (${exitText(exit)})`);
  else list.failed('exit', `${end.why} (${exitText(exit)}); its profile says that it tells a stop by ${powerOff.by}`);
}
