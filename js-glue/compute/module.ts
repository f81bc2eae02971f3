// compute.wasm: unpacked and compiled once a page, when somebody first computes. Exports: wasm/bindings/compute.cc.
import packed from '../generated/compute.mjs'
import { TabmeshError } from '../errors.ts'

export interface ComputeExports {
  readonly memory: WebAssembly.Memory
  _initialize(): void
  /** An address; 0 when memory is out. */
  take(bytes: number): number
  give(address: number): number
  taken(): number
  takenBytes(): number
  heldBytes(): number
  forces(): number
  step(block: number, stride: number): void
  scatter(block: number, stride: number, speed: number, seed: number): void
  packPositions(block: number, stride: number, count: number, to: number): void
  statistics(block: number, type: number, count: number): number
  histogram(block: number, type: number, count: number, from: number, to: number, bins: number): number
}

let loading: Promise<ComputeExports> | undefined

/** Of this page. Rejects with TabmeshError `unsupported` and `wasm-failed`; the next call tries again. */
export function loadCompute(): Promise<ComputeExports> {
  return (loading ??= load().catch((cause: unknown) => {
    loading = undefined
    throw cause
  }))
}

async function load(): Promise<ComputeExports> {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0))
  const module = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer()
  if (!WebAssembly.validate(module)) throw new TabmeshError('unsupported', 'This browser has no WebAssembly SIMD: store.compute does not work here. Everything else does.')
  try {
    const imports = { env: { emscripten_notify_memory_growth: () => undefined } }
    const { instance } = await WebAssembly.instantiate(module, imports)
    const exports = instance.exports as unknown as ComputeExports
    exports._initialize()
    return exports
  } catch (cause) {
    throw new TabmeshError('wasm-failed', "The compute module could not be started: does the page's Content-Security-Policy allow 'wasm-unsafe-eval' in script-src?", { cause })
  }
}
