// Composition root of the chunk that stores with a relay load: the client on real sockets.
import { openWebSocket, watchOnline } from '../platform/web-socket.ts'
import { createRelayClient, type RelayClient, type RelayParts } from './client.ts'

export function openRelay(parts: Omit<RelayParts, 'openSocket' | 'watchOnline'>): RelayClient {
  return createRelayClient({ ...parts, openSocket: openWebSocket, watchOnline })
}
