/** What the demo prints and writes: every figure that it is judged by. */
export interface Figures {
  readonly requests: number;
  /** Answered, and rightly. */
  readonly ok: number;
  readonly errors: number;
  /** Under load; the first VM, which was there before, does not count. */
  readonly vms_started: number;
  /** After load; those that end with the fleet do not count. */
  readonly vms_stopped: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
}

/** What is wrong with the figures, in words; nothing if the demo has shown what it is to show. */
export function complaints({ requests, ok, errors, vms_started, vms_stopped }: Figures): string[] {
  const found: string[] = [];
  if (ok === 0) found.push('no request was answered');
  if (errors > 0) found.push(`${errors} of ${requests} requests failed or were answered wrongly`);
  if (vms_started === 0) found.push('no VM was started under load');
  if (vms_stopped === 0) found.push('no VM was stopped after load');
  return found;
}
