export {
  BYTES_TYPE,
  CONTENT_TYPE_CHARS_MAX,
  CONTENT_TYPE_FORM,
  isContentType,
  TEXT_TYPE,
} from '../content-type.ts';
export { DEFAULT_SIZING } from './policy/default-sizing.ts';
export type { IdleVm, Sizing, SizingPolicy, SizingView } from './policy/sizing.ts';
export type { NeighbourMessage, NeighbourPort } from './router/neighbour-messages.ts';
export { FAILED_A_SECOND, RECORDED_A_SECOND } from './router/request-recorder.ts';
export { router } from './router/router.ts';
export type { RouterMessage } from './router/router-messages.ts';
export type { StorePorts } from './router/store-writes.ts';
export type { DeployRow, FleetSnapshot, VmRow } from './state/snapshot.ts';
export type { Routing } from './state/vm-index.ts';
export type { Address } from './values/address.ts';
export { formatAddress } from './values/address.ts';
export type { CommandReply } from './values/command-messages.ts';
export type { Considered } from './values/considered.ts';
export type { DeployPhase, DeployState } from './values/deploy.ts';
export { CANARY_ANSWERS, isRunning, shortDigest } from './values/deploy.ts';
export type { FailureReason, ReasonWord, RequestEndReason, VmEndReason, WaitReason } from './values/end-reason.ts';
export { REQUEST_END_REASONS, VM_END_REASONS, WAIT_REASONS } from './values/end-reason.ts';
export type { FleetEvent } from './values/fleet-event.ts';
export type { FleetParams } from './values/fleet-params.ts';
export {
  changedParams,
  compareFleetParams,
  fleetParamsOf,
  fleetValues,
  isOfHost,
  writtenParams,
  writtenValues,
} from './values/fleet-params.ts';
export type { GuestReady, GuestReport } from './values/guest.ts';
export type { HostCommand, HostEvent } from './values/host-messages.ts';
export { HOST_MAILBOX_MAX, VMS_MAX } from './values/limits.ts';
export type { LinkEvent, LinkMessage, LinkTarget } from './values/link-messages.ts';
export { LEASE_MARGIN_MS, LEASE_MS } from './values/neighbour.ts';
export type { Params } from './values/params.ts';
export { makeParams, PARAMETERS, paramsTable, paramText, SPARE_BOOTED } from './values/params.ts';
export { parsePool } from './values/parse-pool.ts';
export type { Control, IssuedRelay, Relay, RelayedCommand, RelayPort } from './values/relay.ts';
export type { Outcome, Request } from './values/request.ts';
export type { RequestRecord, RequestState } from './values/request-record.ts';
export { type RequestStatus, statusOfGuest } from './values/request-status.ts';
export type { Reservation } from './values/reservation.ts';
export type { Figures, Rule } from './values/rule.ts';
export type { VmEnd, VmId, VmState } from './values/vm-id.ts';
export type { VmMemory } from './values/vm-memory.ts';
export { memoryMibOf } from './values/vm-memory.ts';
export type { VmTableRow, VmTableUpdate } from './values/vm-table-row.ts';
