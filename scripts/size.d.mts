interface Size {
  raw: number
  gzip: number
  brotli: number
}
export function sizes(): Promise<{ critical: Size; javascript: Size; wasm: Size }>
