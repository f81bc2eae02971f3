interface Size {
  raw: number
  gzip: number
  brotli: number
}
export const budgets: Record<"critical" | "javascript" | "wasm" | "compute" | "zustand", number>
export function sizes(): Promise<{ critical: Size; javascript: Size; wasm: Size; compute: Size; zustand: Size }>
