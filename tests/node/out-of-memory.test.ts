import { afterEach, describe, expect, test, vi } from 'vitest'
import { startEngine } from '../../js-glue/engine.ts'
import { createStoreOn } from '../../js-glue/open.ts'
import type { Platform } from '../../js-glue/platform.ts'
import { createMesh, until, wasm, type AnyState } from './mesh.ts'

const text = 'x'.repeat(900_000)

afterEach(() => void vi.restoreAllMocks())

/** No module grows any more. */
function noMore(): void {
  vi.spyOn(WebAssembly.Memory.prototype, 'grow').mockImplementation(() => {
    throw new RangeError('no memory')
  })
}

describe('a module that cannot grow', () => {
  test('refuses what it cannot hold, shows what was before, and goes on', async () => {
    const mesh = createMesh()
    const { store } = await mesh.ready()
    store.on('error', () => undefined)
    noMore()
    let held = 0
    let code: unknown
    while (code === undefined && held < 1000) {
      await store.set([`text ${held}`], text).durable.then(
        () => held++,
        (error: unknown) => (code = (error as { readonly code?: unknown }).code),
      )
    }
    expect(code).toBe('out-of-memory')
    expect(Object.keys(store.getState())).toHaveLength(held)
    vi.restoreAllMocks()
    store.set(['small'], 1)
    await store.flush()
    const next = await mesh.ready()
    expect(Object.keys(next.store.getState())).toHaveLength(held + 1)
    expect(next.store.getState()).toEqual(store.getState())
  })

  test('drops what others have written, tells of it, and catches up when there is room', async () => {
    const mesh = createMesh()
    const writer = (await mesh.ready()).store
    const tab = mesh.origin.openTab()
    let short = true
    const openChannel: Platform['openChannel'] = (kind, name, receive, packer) =>
      tab.platform.openChannel(kind, name, (frame) => {
        if (short) noMore()
        try {
          receive(frame)
        } finally {
          vi.restoreAllMocks()
        }
      }, packer)
    const reader = createStoreOn<AnyState>(tab, () => Promise.resolve({ startEngine, platform: { ...tab.platform, openChannel } }), { name: 'test', state: {}, wasm })
    await reader.ready
    const codes: unknown[] = []
    reader.on('error', ({ error }) => codes.push((error as { readonly code?: unknown }).code))
    let written = 0
    for (; written < 60 && codes.length === 0; written++) {
      writer.set([`text ${written}`], text)
      await writer.flush()
    }
    expect(codes).toContain('dropped')
    short = false
    await until(() => Object.keys(reader.getState()).length === written, 'the reader has caught up')
    expect(reader.getState()).toEqual(writer.getState())
  })

  test('ends its store when it cannot take what is stored, and leaves that as it is', async () => {
    const mesh = createMesh()
    const { store } = await mesh.ready()
    for (let i = 0; i < 60; i++) {
      store.set([`text ${i}`], text)
      await store.flush() // one by one: a large write leaves room behind
    }
    const tab = mesh.origin.openTab()
    const openJournal: Platform['openJournal'] = (...given) => {
      noMore()
      return tab.platform.openJournal(...given)
    }
    const short = createStoreOn<AnyState>(tab, () => Promise.resolve({ startEngine, platform: { ...tab.platform, openJournal } }), { name: 'test', state: {}, wasm })
    const codes: unknown[] = []
    short.on('error', ({ error }) => codes.push((error as { readonly code?: unknown }).code))
    await until(() => codes.includes('out-of-memory'), 'it has ended')
    vi.restoreAllMocks()
    expect((await mesh.ready()).store.getState()).toEqual(store.getState())
  })

  test('does not call the function of a transaction when its store has just ended for want of memory', async () => {
    const mesh = createMesh({ lose: () => true })
    const tab = mesh.origin.openTab()
    const openJournal: Platform['openJournal'] = async (...given) => {
      const journal = (await tab.platform.openJournal(...given))!
      return {
        ...journal,
        transact: (cursor, era, id, now, run) =>
          journal.transact(cursor, era, id, now, (contents, known) => {
            noMore()
            try {
              return run(contents, known)
            } finally {
              vi.restoreAllMocks()
            }
          }),
      }
    }
    const store = createStoreOn<AnyState>(tab, () => Promise.resolve({ startEngine, platform: { ...tab.platform, openJournal } }), { name: 'test', state: { n: 0 }, wasm })
    await store.ready
    store.on('error', () => undefined)
    const other = (await mesh.ready({ state: { n: 0 } })).store
    for (let i = 0; i < 60; i++) {
      other.set([`text ${i}`], text)
      await other.flush()
    }
    await other.transaction(() => ({ n: 41 }))
    const fn = vi.fn(() => undefined)
    await expect(store.transaction(fn)).rejects.toThrow(expect.objectContaining({ code: 'closed' }) as Error)
    expect(fn).not.toHaveBeenCalled()
  })
})
