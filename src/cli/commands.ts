import type { Command } from './command.ts';
import { doctorCommand } from './doctor.ts';
import { downCommand } from './down.ts';
import { logsCommand } from './logs.ts';
import { psCommand } from './ps.ts';
import { sendCommand } from './send.ts';
import { upCommand } from './up.ts';
import { versionCommand } from './version.ts';

/** In the order of the help. */
export const COMMANDS: readonly Command[] = [
  upCommand,
  downCommand,
  sendCommand,
  psCommand,
  logsCommand,
  doctorCommand,
  versionCommand,
];
