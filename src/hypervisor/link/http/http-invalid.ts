import { ShoalError } from '../../../errors.ts';

/** @throws HTTP_INVALID */
export function refuse(why: string): never {
  throw new ShoalError('HTTP_INVALID', `An HTTP response of the guest is refused: ${why}`, { details: { why } });
}

/** @throws HTTP_BODY_TOO_LONG */
export function tooLong(bytesMax: number): never {
  throw new ShoalError('HTTP_BODY_TOO_LONG', `The guest's answer is longer than ${bytesMax} bytes`, {
    details: { bytesMax },
  });
}
