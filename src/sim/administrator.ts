/** What an administrator may ask for in the middle of it all. */
export type SimulatedCommand =
  | { readonly kind: 'drain-vm'; readonly vm: number }
  | { readonly kind: 'restart-vms'; readonly vms: 'all' | readonly number[] }
  | { readonly kind: 'scale'; readonly vmCount: number };

/** An image to deploy, or that the last one is to be undone. */
export type SimulatedDeploy =
  | 'roll-back'
  | { readonly image: string; readonly canary: number; readonly canaryMs: number };
