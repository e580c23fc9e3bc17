/**
 * Ends a request with a status and a message: the client gets the message, and of the statuses 404, 413 and 499; each other one is 400 to a
 * client of a fleet. Anything else that is thrown counts as 400.
 */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly status: number;

  /** @param status from 400 to 499; another one counts as 400 */
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
