export type { ChildOptions, ChildSpec, Restart, Shutdown } from './child-spec.ts';
export { child } from './child-spec.ts';
export type { Action, ChildExit, Decision, RestartHistory, RestartLimit } from './strategy.ts';
export { oneForOne } from './strategy.ts';
export type { ChildInfo, ChildReply, SupervisorMessage, SupervisorSpec } from './supervisor.ts';
export { supervisor } from './supervisor.ts';
