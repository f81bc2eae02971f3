// The calls of the lz-string port: text in, text out; and bytes as text, for stores that keep nothing else.
import type { MainModule } from './generated/tabmesh.mjs'
import { memoryOf } from './memory.ts'
import type { BytePacker } from './platform.ts'

/** The forms of the port, by number (wasm/lz/lz_string.h). */
export const lzForms = { raw: 0, utf16: 1, base64: 2, uri: 3 } as const

export type LzForm = (typeof lzForms)[keyof typeof lzForms]

export interface Lz {
  /** Throws RangeError when memory is out. */
  compress(text: string, form: LzForm): string
  /** Null for what is empty or broken. Throws RangeError when memory is out. */
  decompress(text: string, form: LzForm): string | null
}

export function lzOf(module: MainModule): Lz {
  const memory = memoryOf(module)
  const call = (name: 'lzCompress' | 'lzDecompress', input: string, form: LzForm): string | null => {
    if (!memory.putUnits(input)) throw new RangeError('lz-string: the text is too long for the memory that is left')
    const result = module[name](input.length, form) >> 2
    return result === 0 ? null : memory.units(module.HEAPU32[result]!, module.HEAPU32[result + 1]!)
  }
  return {
    compress: (text, form) => call('lzCompress', text, form)!,
    decompress: (text, form) => call('lzDecompress', text, form),
  }
}

/** One character a byte, compressed. */
export function bytePackerOf(module: MainModule): BytePacker {
  const lz = lzOf(module)
  return {
    pack(bytes) {
      let text = ''
      for (const byte of bytes) text += String.fromCharCode(byte)
      return lz.compress(text, lzForms.utf16)
    },
    unpack(packed) {
      const text = lz.decompress(packed, lzForms.utf16)
      if (text === null) return undefined
      const bytes = new Uint8Array(text.length)
      for (let i = 0; i < text.length; i++) {
        const unit = text.charCodeAt(i)
        if (unit > 0xff) return undefined
        bytes[i] = unit
      }
      return bytes
    },
  }
}
