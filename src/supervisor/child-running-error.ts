import type { Ref } from '../actors/mod.ts';
import { ShoalError } from '../errors.ts';

/** SUPERVISOR_CHILD_RUNNING: a child of that id is started already, and here is its ref. */
export class ChildRunningError extends ShoalError {
  readonly ref: Ref<never>;

  constructor(message: string, ref: Ref<never>, details: ShoalError['details']) {
    super('SUPERVISOR_CHILD_RUNNING', message, { details });
    this.ref = ref;
  }
}
