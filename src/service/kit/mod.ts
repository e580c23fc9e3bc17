/**
 * Tests of a service without a VM (`shoal/service/testing`): in the engine that runs in the VMs, and with the limits that they have.
 * `docs/typescript-services.md` is the guide.
 */
export { type LoadedReply, type LoadedService, type LoadOptions, loadService } from './load-service.ts';
