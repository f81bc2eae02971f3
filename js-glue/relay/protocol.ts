// Messages between a device and a relay, in the binary frames of a WebSocket: PROTOCOL.md.

export const protocolVersion = 1
/** Instead of a term: of a device of which no tab is connected, a service worker brings what is stored there. */
export const courierTerm = -1
/** Of one WebSocket frame: a longer message comes in several. */
export const chunkBytes = 256 << 10
/** Of rooms and workspaces, as of stores. */
export const namePattern = /^[A-Za-z0-9._:-]{1,64}$/
/** Parts of one message: frames of one append are fewer. */
export const partsMax = 4096
const headerBytesMax = 64 << 10
/** Of those in a room so many are told. */
export const devicesMax = 100

/** Why a relay does not do something; stable, for programs to test. */
export type RefusalCode = 'unauthorized' | 'forbidden' | 'stale-term' | 'bad-message' | 'bad-frame' | 'other-store' | 'too-large' | 'too-fast' | 'too-slow' | 'full' | 'restarting' | 'unavailable'

export interface Device {
  readonly connection: string
  readonly device: string
  readonly label: string
  readonly user: string
  readonly write: boolean
  /** Milliseconds since 1970, by the relay's clock. */
  readonly connectedAt: number
}

export type FromDevice =
  /** Part: a greeting. */
  | { readonly type: 'join'; readonly protocol: number; readonly room: string; readonly mesh: string; readonly device: string; readonly label: string; readonly term: number; readonly token: string }
  /** Parts: frames to be stored; none: the answer says that all before are. Numbers go up. */
  | { readonly type: 'append'; readonly number: number }
  /** Part: a greeting. */
  | { readonly type: 'greet' }
  | { readonly type: 'token'; readonly token: string }
  | { readonly type: 'ping' }

export type FromRelay =
  /** Parts: a greeting, and what its receiver lacks, if anything. */
  | { readonly type: 'welcome'; readonly connection: string; readonly user: string; readonly write: boolean }
  /** The same, later: an answer, or the relay has begun anew, and what was not acknowledged counts as never sent. */
  | { readonly type: 'greet'; readonly anew: boolean }
  /** Parts: frames of others. */
  | { readonly type: 'frames' }
  /** All appends up to that number are stored. */
  | { readonly type: 'stored'; readonly number: number; readonly version: number }
  | { readonly type: 'devices'; readonly devices: readonly Device[] }
  /** The token is about to expire. */
  | { readonly type: 'renew' }
  | { readonly type: 'pong' }
  | { readonly type: 'refused'; readonly code: RefusalCode; readonly message: string; readonly number?: number; readonly retryAfterMs?: number }

export interface Message<H> {
  readonly header: H
  readonly parts: readonly Uint8Array[]
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const last = 1
const more = 0

/** As WebSocket frames, each of at most `chunkBytes` and one byte. */
export function encodeMessage(header: FromDevice | FromRelay, parts: readonly Uint8Array[] = []): Uint8Array<ArrayBuffer>[] {
  const head = encoder.encode(JSON.stringify(header))
  const body = new Uint8Array(4 + head.byteLength + parts.reduce((sum, { byteLength }) => sum + 4 + byteLength, 0))
  const view = new DataView(body.buffer)
  let at = 0
  for (const bytes of [head, ...parts]) {
    view.setUint32(at, bytes.byteLength, true)
    body.set(bytes, at + 4)
    at += 4 + bytes.byteLength
  }
  const frames: Uint8Array<ArrayBuffer>[] = []
  for (let from = 0; from < body.byteLength; from += chunkBytes) {
    const chunk = body.subarray(from, from + chunkBytes)
    const frame = new Uint8Array(1 + chunk.byteLength)
    frame[0] = from + chunkBytes < body.byteLength ? more : last
    frame.set(chunk, 1)
    frames.push(frame)
  }
  return frames
}

/** Undefined for what is none: nothing throws. */
function decodeBody<H>(body: Uint8Array): Message<H> | undefined {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const parts: Uint8Array[] = []
  for (let at = 0; at < body.byteLength; ) {
    if (at + 4 > body.byteLength) return undefined
    const size = view.getUint32(at, true)
    if (at + 4 + size > body.byteLength || parts.length > partsMax || (at === 0 && size > headerBytesMax)) return undefined
    parts.push(body.subarray(at + 4, at + 4 + size))
    at += 4 + size
  }
  const head = parts.shift()
  if (!head) return undefined
  try {
    const header: unknown = JSON.parse(decoder.decode(head))
    return typeof header === 'object' && header !== null && typeof (header as { type?: unknown }).type === 'string' ? { header: header as H, parts } : undefined
  } catch {
    return undefined
  }
}

export interface Assembler<H> {
  /** A WebSocket frame: the message that it completes, nothing while more is to come; `bad` for what is none, `too-large` beyond the limit, and then all of it is forgotten. */
  add(frame: Uint8Array): Message<H> | undefined | 'bad' | 'too-large'
}

/** `bytesMax`: of a message, as it is when a frame comes. */
export function createAssembler<H extends FromDevice | FromRelay>(bytesMax: () => number): Assembler<H> {
  let chunks: Uint8Array[] = []
  let bytes = 0
  return {
    add(frame) {
      const chunk = frame.subarray(1)
      bytes += chunk.byteLength
      if (bytes > bytesMax()) {
        chunks = []
        bytes = 0
        return 'too-large'
      }
      chunks.push(chunk)
      if (frame[0] === more && frame.byteLength > 1) return undefined
      const body = chunks.length === 1 ? chunk : join(chunks, bytes)
      chunks = []
      bytes = 0
      return (frame[0] === last && decodeBody<H>(body)) || 'bad'
    },
  }
}

function join(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const body = new Uint8Array(bytes)
  let at = 0
  for (const chunk of chunks) {
    body.set(chunk, at)
    at += chunk.byteLength
  }
  return body
}

const opsKind = 1
const deltaKind = 3

/** What a relay stores: writes, and what was missing, for everybody (wasm/wire/WIRE_FORMAT.md). Whether it is whole the core says. */
export const isStorable = (frame: Uint8Array): boolean => frame.byteLength >= 38 && (frame[3] === opsKind || (frame[3] === deltaKind && frame.subarray(24, 40).every((byte) => byte === 0)))

/** Of a frame of one write: who wrote, in hexadecimal, and its number. */
export function dotOf(frame: Uint8Array): { readonly instance: string; readonly seq: number } | undefined {
  if (frame[3] !== opsKind || frame.byteLength < 30) return undefined
  let seq = 0
  for (let at = 32, shift = 1; at < frame.byteLength && at < 37; at++, shift *= 128) {
    seq += (frame[at]! & 0x7f) * shift
    if (frame[at]! < 0x80) return { instance: Array.from(frame.subarray(8, 24), (byte) => byte.toString(16).padStart(2, '0')).join(''), seq }
  }
  return undefined
}
