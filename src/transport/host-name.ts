import { ShoalError } from '../errors.ts';
import { quote } from './quote.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

export function isHostName(name: string): boolean {
  return NAME.test(name);
}

/** @throws CONFIG_VALUE */
export function checkHostName(name: string): string {
  if (isHostName(name)) return name;
  throw new ShoalError(
    'CONFIG_VALUE',
    `Expected the name of a host to have 1 to 63 letters, digits, ".", "-" or "_", and a letter or digit first, got ${quote(name)}`,
    { details: { parameter: 'host', value: name.slice(0, 100) } },
  );
}
