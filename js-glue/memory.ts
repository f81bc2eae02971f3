// Bytes and texts into the module's memory and out of it. Layout: wasm/bindings/bindings.cc.
import type { MainModule } from './generated/tabmesh.mjs'

/** What fits into the buffer that is always there: kInputKept. */
const keptBytes = 64 << 10
/** What is no longer is copied here when it is ASCII: a call of the host's coders takes ten times as long when it is cold. */
const shortBytes = 256
/** jsdom has none of its own. */
const coders = 'TextEncoder' in globalThis ? globalThis : globalThis.process.getBuiltinModule('node:util')
const encoder = new coders.TextEncoder()
const decoder = new coders.TextDecoder()

/** For one call: `put` its input, call, read what it left. Nothing in here outlives the next call. */
export interface ModuleMemory {
  /** Copies the parts, one after another, to where the next call reads. Returns the size of each in bytes; undefined when memory is out. */
  put(...parts: readonly (string | Uint8Array)[]): number[] | undefined
  /** The same for one text as code units, lone surrogates too; false when memory is out. */
  putUnits(text: string): boolean
  bytes(address: number, size: number): Uint8Array
  text(address: number, size: number): string
  units(address: number, size: number): string
}

export function memoryOf(module: MainModule): ModuleMemory {
  const kept = module.input(0)

  function putText(text: string): number {
    const bytes = module.HEAPU8
    if (text.length <= shortBytes) {
      let size = 0
      for (let unit; size < text.length && (unit = text.charCodeAt(size)) < 0x80; size++) bytes[kept + size] = unit
      if (size === text.length) return size
    }
    return encoder.encodeInto(text, bytes.subarray(kept, kept + keptBytes)).written
  }

  return {
    put(...parts) {
      const [first] = parts
      if (parts.length === 1 && typeof first === 'string' && first.length * 3 <= keptBytes) return [putText(first)]
      // JSON.stringify and checked options leave no lone surrogates that encoding could destroy.
      const encoded = parts.map((part) => (typeof part === 'string' ? encoder.encode(part) : part))
      const total = encoded.reduce((sum, { byteLength }) => sum + byteLength, 0)
      let to = total <= keptBytes ? kept : module.input(total)
      if (to === 0) return undefined
      return encoded.map((part) => {
        module.HEAPU8.set(part, to)
        to += part.byteLength
        return part.byteLength
      })
    },
    putUnits(text) {
      const to = module.input(text.length * 2) >> 1
      if (to === 0) return false
      const units = module.HEAPU16
      for (let i = 0; i < text.length; i++) units[to + i] = text.charCodeAt(i)
      return true
    },
    // A copy: growth empties a view.
    bytes: (address, size) => module.HEAPU8.slice(address, address + size),
    text(address, size) {
      const bytes = module.HEAPU8.subarray(address, address + size)
      if (size <= shortBytes && bytes.every((byte) => byte < 0x80)) return String.fromCharCode.apply(undefined, bytes as unknown as number[])
      return decoder.decode(bytes)
    },
    units(address, size) {
      const from = address >> 1
      let text = ''
      for (let at = from; at < from + size; at += 8192) text += String.fromCharCode.apply(undefined, module.HEAPU16.subarray(at, Math.min(at + 8192, from + size)) as unknown as number[])
      return text
    },
  }
}
