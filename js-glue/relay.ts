// The public names of `tabmesh/relay`: a server for Node.
export { startRelay } from './relay/server.ts'
export type { Authenticate, Identity, Relay, RelayEvent, RelayLimits, RelayOptions } from './relay/types.ts'
