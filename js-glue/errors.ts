// The one error class.

/** What went wrong; stable, for programs to test. */
export type ErrorCode =
  | 'closed'
  | 'csp-wasm-blocked'
  | 'wasm-failed'
  | 'destroyed'
  | 'identity-conflict'
  | 'storage-failed'
  | 'storage-stalled'
  | 'storage-cleared'
  | 'out-of-memory'
  | 'malformed-json'
  | 'depth-exceeded'
  | 'key-too-long'
  | 'forbidden-key'
  | 'path-too-long'
  | 'duplicate-path'
  | 'not-an-object'
  | 'value-too-large'
  | 'state-too-large'
  | 'bad-list-item'
  | 'not-a-number'
  | 'unknown-conflict'
  | 'unsupported'
  | 'resolver-failed'
  | 'strategy-mismatch'
  | 'not-ready'
  | 'released'
  | 'offline-failed'
  | 'sequence-exhausted'
  | 'dropped'
  | 'era-ended'
  | 'write-lost'
  | 'listener-failed'
  | 'migration-failed'
  | 'upgrade-required'
  | 'no-handler'
  | 'call-failed'
  | 'call-unknown'
  | 'call-unanswered'
  | 'relay-refused'
  | 'relay-failed'

/** An error of tabmesh: `code` for programs, `message` says what to do, `cause` what was underneath. */
export class TabmeshError extends Error {
  override readonly name = 'TabmeshError'
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
