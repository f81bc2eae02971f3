// Random bytes. crypto.getRandomValues is there on plain http too; crypto.randomUUID is not.
export function randomBytes(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count))
}
