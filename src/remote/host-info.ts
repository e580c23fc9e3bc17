/** Another host of the group that is up. */
export interface HostInfo {
  readonly host: string;
  /** Another one after each restart of its process. */
  readonly incarnation: string;
  /** Of the link to it. */
  readonly epoch: number;
  /** What it says of itself. */
  readonly about: string;
}

/** Figures of the links to all hosts that are up. */
export interface HostStats {
  readonly peers: number;
  /** Messages sent and received. */
  readonly sent: number;
  readonly received: number;
  /** Refs of actors of this host that others hold. */
  readonly refs: number;
  /** Messages and operations that are not acknowledged. */
  readonly waiting: number;
  /** Frames that came twice, that came before their turn, and that were sent anew. */
  readonly doubled: number;
  readonly early: number;
  readonly resent: number;
  /** Frames, or parts of them, that made no sense, on any link since the start. */
  readonly damaged: number;
}
