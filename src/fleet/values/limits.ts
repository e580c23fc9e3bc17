/** VMs, and so addresses, of a host: above the 100 000 that simulations have, and far above what a machine runs. */
export const VMS_MAX = 131_072;

/**
 * Messages that may wait for an actor that hears of all VMs of a host: one step may have a command for each, and each may tell a few things
 * before the actor has its next turn. A mailbox takes memory for what is in it only.
 */
export const HOST_MAILBOX_MAX = 4 * VMS_MAX;
