// `tabmesh/lz-string`: the ten functions of npm lz-string 1.5.0, byte-compatible, on the port in C++.
import { loadModule, type WasmSource } from './core.ts'
import { lzForms, lzOf, type Lz, type LzForm } from './lz.ts'

const { raw, utf16, base64, uri } = lzForms

let lz: Lz | undefined

export type { WasmSource } from './core.ts'

/** Await once before the first call of any other function; loads the module when it is first awaited. */
export const ready: PromiseLike<void> = {
  then: (resolve, reject) => init().then(resolve, reject),
}

/** Loads the module, from elsewhere than beside this file if need be. */
export async function init(source?: WasmSource): Promise<void> {
  lz = lzOf(await loadModule(source ?? new URL('./tabmesh.wasm', import.meta.url)))
}

function port(): Lz {
  if (!lz) throw new Error('tabmesh/lz-string is not loaded yet: await its `ready` first')
  return lz
}

const pack = (input: string | null | undefined, form: LzForm): string => (input == null ? '' : port().compress(input, form))
const unpack = (input: string | null | undefined, form: LzForm): string | null => (input == null ? '' : port().decompress(input, form))

/** To 16 bits a character: not valid UTF-16, keep it in memory. */
export const compress = (input: string): string => pack(input, raw)
/** `null` for input that is empty or broken. */
export const decompress = (compressed: string): string | null => unpack(compressed, raw)
/** To 15 bits a character, valid in every UTF-16 store such as localStorage. */
export const compressToUTF16 = (input: string): string => pack(input, utf16)
export const decompressFromUTF16 = (compressed: string): string | null => unpack(compressed, utf16)
export const compressToBase64 = (input: string): string => pack(input, base64)
export const decompressFromBase64 = (input: string): string | null => unpack(input, base64)
/** To characters that a URL's query can hold unescaped. */
export const compressToEncodedURIComponent = (input: string): string => pack(input, uri)
export const decompressFromEncodedURIComponent = (input: string): string | null => unpack(input, uri)

/** The raw form, big-endian, two bytes a character. */
export function compressToUint8Array(uncompressed: string): Uint8Array {
  const packed = pack(uncompressed, raw)
  const bytes = new Uint8Array(packed.length * 2)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < packed.length; i++) view.setUint16(i * 2, packed.charCodeAt(i))
  return bytes
}

/** Throws RangeError for an odd number of bytes, as npm's does. */
export function decompressFromUint8Array(compressed: Uint8Array | null | undefined): string | null {
  if (compressed == null) return decompress(compressed as never)
  if (compressed.length % 2 !== 0) throw new RangeError('Invalid array length')
  let packed = ''
  const view = new DataView(compressed.buffer, compressed.byteOffset, compressed.byteLength)
  for (let i = 0; i < compressed.length; i += 2) packed += String.fromCharCode(view.getUint16(i))
  return decompress(packed)
}
