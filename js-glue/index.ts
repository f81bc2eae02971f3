// The public names of `tabmesh`.
export { createStore, openStore } from './open.ts'
export { TabmeshError, type ErrorCode } from './errors.ts'
export type {
  CallHandler,
  Conflict,
  ConflictInbox,
  ConflictValue,
  DebugEvent,
  DeepReadonly,
  Json,
  Leader,
  Level,
  Migration,
  Outcome,
  Path,
  Resolver,
  ResolverContext,
  Stats,
  Status,
  Store,
  StoreEvents,
  StoreHistory,
  StoreOptions,
  Strategy,
  TabInfo,
  TransactionOptions,
  Write,
} from './types.ts'
