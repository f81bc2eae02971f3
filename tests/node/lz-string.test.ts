import npm from 'lz-string'
import { beforeAll, describe, expect, test } from 'vitest'
import * as ours from '../../js-glue/lz-string.ts'
import { wasm } from './mesh.ts'
import { random } from './random.ts'

beforeAll(() => ours.init(wasm))

const seed = Number(process.env.TABMESH_SEED ?? 20261120)
const count = 10_000

const next = random(seed)
const alphabets = [
  () => 97 + Math.floor(next() * 3),
  () => 32 + Math.floor(next() * 95),
  () => Math.floor(next() * 256),
  () => Math.floor(next() * 65536),
  () => 0xd800 + Math.floor(next() * 0x800), // lone surrogates
]
const words = ['__proto__', 'constructor', 'hasOwnProperty', '{"key":"value"}', '\u0000', '😀', 'éé']

function text(): string {
  const unit = alphabets[Math.floor(next() * alphabets.length)]!
  let result = ''
  for (let n = Math.floor(next() ** 3 * 400); n > 0; n--) result += next() < 0.05 ? words[Math.floor(next() * words.length)]! : String.fromCharCode(unit())
  return result
}

const strings = ['', ...words, '__proto__'.repeat(30), ...Array.from({ length: count }, text)]
const forms = [
  ['compress', 'decompress'],
  ['compressToUTF16', 'decompressFromUTF16'],
  ['compressToBase64', 'decompressFromBase64'],
  ['compressToEncodedURIComponent', 'decompressFromEncodedURIComponent'],
  ['compressToUint8Array', 'decompressFromUint8Array'],
] as const

describe(`lz-string against npm's (TABMESH_SEED=${seed})`, () => {
  test.each(forms)(`%s and %s: ${strings.length} strings, both ways`, (pack, unpack) => {
    for (const string of strings) {
      const packed = npm[pack](string) as never
      const mine = ours[pack](string) as never
      if (pack === 'compressToUint8Array') expect(Buffer.compare(packed, mine)).toBe(0)
      else if (mine !== packed) expect.fail(`${pack} differs for ${JSON.stringify(string)}`)
      if (ours[unpack](packed) !== string) expect.fail(`${unpack} differs for ${JSON.stringify(string)}`)
      if ((npm[unpack](mine)) !== string) expect.fail(`npm cannot read ${pack} of ${JSON.stringify(string)}`)
    }
  })

  test('empty and missing input as npm has it', () => {
    for (const [pack, unpack] of forms) {
      expect(ours[pack](null as never)).toEqual(pack === 'compressToUint8Array' ? new Uint8Array() : npm[pack](null as never))
      expect(ours[unpack](null as never)).toBe(npm[unpack](null as never))
      expect(ours[unpack]((unpack === 'decompressFromUint8Array' ? new Uint8Array() : '') as never)).toBe(npm[unpack]((unpack === 'decompressFromUint8Array' ? new Uint8Array() : '') as never))
    }
  })
})
