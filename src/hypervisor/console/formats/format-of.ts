import type { ConsoleProfile } from '../../profile/profile.ts';
import type { ConsoleEvent } from '../console-event.ts';
import { CONTRACT_PREFIX, parseContractLine } from '../contract-line.ts';
import { jsonFormat } from './json-format.ts';
import { keyValueFormat } from './key-value-format.ts';
import type { GuestFacts, LineFormat } from './line-format.ts';
import { patternFormat } from './pattern-format.ts';

/** The format of a profile's console, for one guest. */
export function formatOf(profile: ConsoleProfile, guest: GuestFacts): LineFormat {
  switch (profile.format) {
    case 'shoal':
      return contractFormat(guest.ramBytesMax);
    case 'key=value':
      return keyValueFormat(profile, guest);
    case 'json':
      return jsonFormat(profile, guest);
    case 'regex':
      return patternFormat(profile, guest);
    case 'none':
      return SILENT;
  }
}

/** That of the last guest, if this one has as much memory: nearly all have. */
function contractFormat(ramBytesMax: number): ContractFormat {
  if (lastContract?.ramBytesMax !== ramBytesMax) lastContract = new ContractFormat(ramBytesMax);
  return lastContract;
}

let lastContract: ContractFormat | undefined;

/** The lines of the guest contract: `shoal1 KIND key=value ...`. */
export class ContractFormat implements LineFormat {
  readonly ramBytesMax: number;

  constructor(ramBytesMax: number) {
    this.ramBytesMax = ramBytesMax;
  }

  get refusesCut(): boolean {
    return true;
  }

  mayTell(bytes: Buffer, from: number, end: number): boolean {
    return bytes.toString('latin1', from, Math.min(end, from + CONTRACT_PREFIX.length)) === CONTRACT_PREFIX;
  }

  read(line: string): ConsoleEvent | undefined {
    return parseContractLine(line, this.ramBytesMax);
  }
}

/** All that such a guest prints is its log. */
const SILENT: LineFormat = { mayTell: () => false, read: () => undefined };
