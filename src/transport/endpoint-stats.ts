/** Counters of one endpoint for `$SRV.STATS`. Times are in milliseconds on the monotonic clock. */
export class EndpointStats {
  #requests = 0;
  #errors = 0;
  #processingMs = 0;
  #lastError = '';

  get requests(): number {
    return this.#requests;
  }

  get errors(): number {
    return this.#errors;
  }

  succeeded(processingMs: number): void {
    this.#requests += 1;
    this.#processingMs += processingMs;
  }

  failed(status: number, message: string, processingMs: number): void {
    this.#requests += 1;
    this.#errors += 1;
    this.#processingMs += processingMs;
    this.#lastError = `${status}:${message}`;
  }

  /** In the form of ADR-32: times in whole nanoseconds. */
  report(): EndpointReport {
    const processing = Math.round(this.#processingMs * 1e6);
    return {
      num_requests: this.#requests,
      num_errors: this.#errors,
      last_error: this.#lastError,
      processing_time: processing,
      average_processing_time: this.#requests === 0 ? 0 : Math.round(processing / this.#requests),
    };
  }
}

export interface EndpointReport {
  readonly num_requests: number;
  readonly num_errors: number;
  readonly last_error: string;
  readonly processing_time: number;
  readonly average_processing_time: number;
}
