import { type ErrorOptions, ShoalError, whyUnreadable } from '../../errors.ts';

/** SERVICE_BUILD: a service of which no image was built, and why. */
export function notBuilt(why: string, options?: ErrorOptions): ShoalError {
  return new ShoalError('SERVICE_BUILD', `No image was built: ${why}`, options);
}

/** SERVICE_BUILD: its source cannot be read. */
export function unreadable(source: string, cause: unknown): ShoalError {
  return notBuilt(`the source ${source} cannot be read: ${whyUnreadable(cause)}`, { cause, details: { source } });
}
