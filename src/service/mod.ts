/**
 * What a service in TypeScript may import (`shoal/service`). It becomes part of the service's script, which runs in a unikernel: so it is
 * small, and uses nothing that such a guest lacks. `docs/typescript-services.md` is the guide.
 */
export { ServiceError } from './service-error.ts';
export type {
  BytesOperation,
  BytesReply,
  BytesService,
  Operation,
  Service,
  ServiceRequest,
  TypedReply,
} from './service-types.ts';
