export type { BackOff } from './back-off.ts';
export {
  childRef,
  childSpec,
  countChildren,
  deleteChild,
  restartChild,
  startChild,
  startInstance,
  terminateChild,
  terminateInstance,
  whichChildren,
} from './calls.ts';
export { checkChildSpecs } from './check-child-specs.ts';
export { ChildRunningError } from './child-running-error.ts';
export type { ChildOptions, ChildSpec, Directive, Restart, Shutdown } from './child-spec.ts';
export { child, ignore } from './child-spec.ts';
export type { ChildTemplate, DynamicSupervisorSpec } from './dynamic-supervisor.ts';
export { dynamicSupervisor } from './dynamic-supervisor.ts';
export type { AutoShutdown, SupervisorFlags } from './flags.ts';
export type {
  ChildCounts,
  ChildInfo,
  ChildQuery,
  ChildReply,
  DoneReply,
  DynamicSupervisorMessage,
  SupervisorMessage,
} from './messages.ts';
export type { PastRestart, RestartHistory, RestartLimit } from './restart-limit.ts';
export type {
  Action,
  ChildState,
  ChildView,
  Decision,
  Strategy,
  SupervisorEvent,
  SupervisorState,
  Terms,
} from './strategy.ts';
export { decide } from './strategy.ts';
export type { SupervisorSpec } from './supervisor.ts';
export { supervisor } from './supervisor.ts';
