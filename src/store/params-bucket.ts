/** The key-value bucket with the parameters of the whole fleet, as a port. It holds one value: parameters are checked together. */
export interface ParamsBucket {
  /** What the bucket holds now, as its leader knows it. @throws PARAMS_UNAVAILABLE if the bucket is away */
  read(): Promise<BucketState>;
  /**
   * Writes if the bucket is still at that revision. A lost bucket is made anew.
   * @returns `unknown` if no answer came: it may have been written, and may still be
   * @throws PARAMS_UNAVAILABLE if it was not written
   */
  write(bytes: Uint8Array, revision: number): Promise<'written' | 'conflict' | 'unknown'>;
}

export type BucketState =
  /** The server has no JetStream. */
  | { readonly kind: 'none' }
  /** Revision 0: nothing was ever written. `bytes` is undefined if there is no value, or none any more. */
  | { readonly kind: 'open'; readonly revision: number; readonly bytes: Uint8Array | undefined };

/** A bucket in memory, for simulations and tests. */
export class MemoryBucket implements ParamsBucket {
  revision = 0;
  bytes: Uint8Array | undefined;

  async read(): Promise<BucketState> {
    return { kind: 'open', revision: this.revision, bytes: this.bytes };
  }

  async write(bytes: Uint8Array, revision: number): Promise<'written' | 'conflict' | 'unknown'> {
    if (revision !== this.revision) return 'conflict';
    this.revision += 1;
    this.bytes = bytes;
    return 'written';
  }

  /** As if somebody had deleted the bucket. */
  lose(): void {
    this.revision = 0;
    this.bytes = undefined;
  }
}
