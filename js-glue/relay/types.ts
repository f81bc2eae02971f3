// The public types of `tabmesh/relay`.
import type { IncomingMessage } from 'node:http'

/** Who a token is of, and what it lets its bearer do. */
export interface Identity {
  /** What others are told of it: a stable name, no secret. */
  readonly user: string
  /** The rooms that may be entered; `'*'`: all of the workspace. */
  readonly rooms: readonly string[] | '*'
  /** Default true. */
  readonly read?: boolean
  /** Default true. */
  readonly write?: boolean
  /** Milliseconds since 1970: a minute before, the device is asked for another token; then the socket is closed. Default never. */
  readonly expiresAt?: number
}

/** Undefined, or a rejection, where the token is not accepted. Awaited before anything is sent. */
export type Authenticate = (token: string, request: IncomingMessage) => Identity | undefined | Promise<Identity | undefined>

export interface RelayLimits {
  /** Of one message, in bytes: the largest change, or the state that a device brings when it joins. Default 64 MiB. */
  readonly messageBytes: number
  /** Frames a second of one connection, on average; default 2,000. */
  readonly framesPerSecond: number
  /** Default 16 MiB. */
  readonly bytesPerSecond: number
  /** What may wait to be sent to one connection until it is dropped; default 8 MiB. It resumes by what it has. */
  readonly backlogBytes: number
  /** Connections of one room; default 1,000. */
  readonly roomConnections: number
  /** Bytes that the state of one room takes in memory, from which on nothing is taken but what is small; default 64 MiB. */
  readonly roomBytes: number
  /** Connections of this relay; default 10,000. */
  readonly connections: number
  /** Rooms in this relay's memory; default 10,000. */
  readonly rooms: number
}

/** What happens in a relay, for a log; never a token, never a value of the state. */
export interface RelayEvent {
  readonly level: 'info' | 'error'
  readonly event: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly [detail: string]: unknown
}

export interface RelayOptions {
  /** Of Redis 7, as `redis://host:6379`. */
  readonly redis: string
  readonly authenticate: Authenticate
  /** Default 0: any that is free. */
  readonly port?: number
  /** Default 127.0.0.1: TLS, and who may come from outside, are the proxy's in front. */
  readonly host?: string
  /** Whose rooms these are in Redis: `[A-Za-z0-9._:-]{1,64}`; default `default`. */
  readonly workspace?: string
  /** Origins of pages that may connect, as `https://app.example`; default all. Programs have none, and may: what counts is the token. */
  readonly origins?: readonly string[]
  readonly limits?: Partial<RelayLimits>
  /** How long a room is kept in Redis that nobody enters, in milliseconds; default for ever. */
  readonly retentionMs?: number
  readonly log?: (event: RelayEvent) => void
}

export interface Relay {
  readonly port: number
  /** For `relay.url` of stores on this machine. */
  readonly url: string
  /** How often what has happened, since the start. */
  stats(): Readonly<Record<string, number>>
  /** Tells the devices when to come again, spread over `overMs` (default 10,000) milliseconds, waits for what is being stored, and ends. */
  close(overMs?: number): Promise<void>
}
