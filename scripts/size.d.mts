interface Size {
  raw: number
  gzip: number
  brotli: number
}
export const budgets: Record<"critical" | "javascript" | "wasm" | "later" | "zustand", number>
export function sizes(): Promise<{ critical: Size; javascript: Size; wasm: Size; later: Size; zustand: Size }>
