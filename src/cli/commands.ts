import type { Command } from './command.ts';
import { completionCommand } from './completion.ts';
import { cordonCommand, uncordonCommand } from './cordon.ts';
import { doctorCommand } from './doctor.ts';
import { downCommand } from './down.ts';
import { eventsCommand } from './events.ts';
import { explainCommand } from './explain.ts';
import { hostsCommand } from './hosts.ts';
import { imageCommand } from './image.ts';
import { inspectCommand } from './inspect.ts';
import { ipCommand } from './ip.ts';
import { loadCommand } from './load.ts';
import { logsCommand } from './logs.ts';
import { paramsCommand } from './params.ts';
import { psCommand } from './ps.ts';
import { sendCommand } from './send.ts';
import { serviceCommand } from './service.ts';
import { simulateCommand } from './simulate.ts';
import { topCommand } from './top.ts';
import { controllerCommand, serverCommand, upCommand } from './up.ts';
import { versionCommand } from './version.ts';
import { drainCommand, restartCommand, rmCommand, scaleCommand } from './vm-commands.ts';

/** In the order of the help. */
export const COMMANDS: readonly Command[] = [
  upCommand,
  serverCommand,
  controllerCommand,
  downCommand,
  sendCommand,
  loadCommand,
  psCommand,
  topCommand,
  inspectCommand,
  logsCommand,
  eventsCommand,
  explainCommand,
  scaleCommand,
  restartCommand,
  drainCommand,
  rmCommand,
  hostsCommand,
  cordonCommand,
  uncordonCommand,
  ipCommand,
  paramsCommand,
  imageCommand,
  serviceCommand,
  simulateCommand,
  doctorCommand,
  completionCommand(() => COMMANDS),
  versionCommand,
];
