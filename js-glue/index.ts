// The public names of `tabmesh`.
export { createStore, openStore } from './open.ts'
export { TabmeshError, type ErrorCode } from './errors.ts'
export type {
  DebugEvent,
  DeepReadonly,
  Json,
  Leader,
  Level,
  Path,
  Stats,
  Status,
  Store,
  StoreEvents,
  StoreOptions,
  Strategy,
  TabInfo,
  Write,
} from './types.ts'
