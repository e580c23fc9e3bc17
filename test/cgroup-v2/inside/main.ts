/** The scenario: runs in the machine with cgroup v2, as root, and prints what it finds. */
import type { FactLine } from '../facts.ts';
import { oneMachine } from './one-machine.ts';
import { wholeShoal } from './whole-shoal.ts';

const tell = (line: FactLine): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

// A launcher keeps nobody's event loop alive, and of a QEMU that has ended only it is left to tell.
const awake = setInterval(() => undefined, 60_000);
await wholeShoal(tell);
await oneMachine(tell);
clearInterval(awake);
