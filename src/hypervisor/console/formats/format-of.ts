import type { ConsoleProfile } from '../../profile/profile.ts';
import { CONTRACT_PREFIX, parseContractLine } from '../contract-line.ts';
import { jsonFormat } from './json-format.ts';
import { keyValueFormat } from './key-value-format.ts';
import type { GuestFacts, LineFormat } from './line-format.ts';
import { patternFormat } from './pattern-format.ts';

/** The format of a profile's console, for one guest. */
export function formatOf(profile: ConsoleProfile, guest: GuestFacts): LineFormat {
  switch (profile.format) {
    case 'shoal':
      return contractFormat(guest.ramBytesMax, guest.idempotent);
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

/**
 * The lines of the guest contract: `shoal1 KIND key=value ...`.
 * @param idempotent counts in the place of what the guest says
 */
export function contractFormat(ramBytesMax: number, idempotent?: boolean): LineFormat {
  return {
    refusesCut: true,
    mayTell: (bytes, from, end) =>
      bytes.toString('latin1', from, Math.min(end, from + CONTRACT_PREFIX.length)) === CONTRACT_PREFIX,
    read(line) {
      const event = parseContractLine(line, ramBytesMax);
      if (idempotent === undefined || event.kind !== 'ready') return event;
      return { ...event, guest: { ...event.guest, idempotent } };
    },
  };
}

/** All that such a guest prints is its log. */
const SILENT: LineFormat = { mayTell: () => false, read: () => undefined };
