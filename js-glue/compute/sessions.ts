// Who was here, when, on which pages; and slices of the state by name. Both are compute records.
import { TabmeshError } from '../errors.ts'
import type { Clock } from '../platform.ts'
import { sliceType, type Records } from './records.ts'
import type { Compute } from './types.ts'

export interface SessionsOptions {
  readonly records: Records
  readonly clock: Clock
  readonly random: (count: number) => Uint8Array
  /** What the state has at shared keys. Throws TypeError for others. */
  readonly slice: (keys: readonly string[]) => Record<string, unknown>
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
const sliceId = (name: string): string => `slice:${name}`

export function createSessions({ records, clock, random, slice }: SessionsOptions): Pick<Compute, 'userId' | 'session' | 'saveSlice' | 'loadSlice'> {
  return {
    async userId(material) {
      const { subtle } = globalThis.crypto as { subtle?: SubtleCrypto }
      if (!subtle) throw new TabmeshError('unsupported', 'Browsers have SHA-256 on https and localhost only: serve the page there.')
      return hex(new Uint8Array(await subtle.digest('SHA-256', new TextEncoder().encode(material))))
    },
    async session(user) {
      const id = `session:${hex(random(16))}`
      const begun = clock.now()
      const pages: { readonly page: string; readonly at: number }[] = []
      const save = (ended?: number): Promise<void> => records.save(id, undefined, { type: 'session', time: begun, params: { user, pages, ...(ended !== undefined && { ended }) } })
      await save()
      return {
        id,
        visit(page) {
          pages.push({ page, at: clock.now() })
          return save()
        },
        end: () => save(clock.now()),
      }
    },
    saveSlice: async (name, keys) => records.save(sliceId(name), undefined, { type: sliceType, params: slice(keys) }),
    async loadSlice(name) {
      return (await records.load(sliceId(name)))?.record.params as Record<string, unknown> | undefined
    },
  }
}
