// The ways to the other tabs: which one is used when, and that what goes by storage events arrives whole.
import { describe, expect, test } from 'vitest'
import { createChannels, type Channels } from '../../js-glue/channels.ts'
import { loadModule } from '../../js-glue/core.ts'
import { lzForms, lzOf } from '../../js-glue/lz.ts'
import { channelKinds, type ChannelKind } from '../../js-glue/platform.ts'
import { createHandClock } from './hand-clock.ts'
import type { CustomChannel } from '../../js-glue/index.ts'
import { createMesh, packer, until, wasm } from './mesh.ts'

const lz = lzOf(await loadModule(wasm))

/** The instance of a tab whose name is one letter, and a frame of its. */
const idOf = (tab: string): string => tab.charCodeAt(0).toString(16).padStart(8, '0').padEnd(32, '0')
const frameOf = (tab: string, byte: number): Uint8Array => Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, tab.charCodeAt(0), byte)

interface Rig {
  readonly channels: Channels
  /** The ways by which frames went since the last call. */
  readonly posted: () => ChannelKind[]
  readonly open: Set<ChannelKind>
  readonly received: number[]
  readonly changes: [string | undefined, boolean][]
  /** A frame of a tab comes by that way. */
  readonly hear: (kind: ChannelKind, tab: string, byte?: number) => void
  /** A look at who runs: tabs by their letters. */
  readonly look: (tabs: string) => boolean
  readonly pass: (ms: number) => void
}

function createRig(available: readonly ChannelKind[] = channelKinds): Rig {
  const { clock, pass } = createHandClock(1_700_000_000_000)
  const receivers = new Map<ChannelKind, (frame: Uint8Array) => void>()
  const open = new Set<ChannelKind>()
  const received: number[] = []
  const changes: [string | undefined, boolean][] = []
  let log: ChannelKind[] = []
  const channels = createChannels({
    ways: channelKinds.map((kind) => ({
      kind,
      open(receive) {
        if (!available.includes(kind)) return undefined
        open.add(kind)
        receivers.set(kind, receive)
        return { post: () => log.push(kind), close: () => open.delete(kind) }
      },
    })),
    clock,
    receive: (frame) => received.push(frame[12]!),
    onChange: (wider) => changes.push([channels.kind, wider]),
  })
  return {
    channels,
    open,
    received,
    changes,
    posted() {
      log = []
      channels.post(frameOf('m', 0))
      return log
    },
    hear: (kind, tab, byte = 0) => receivers.get(kind)!(frameOf(tab, byte)),
    look: (tabs) => channels.look(Array.from(tabs, idOf)),
    pass,
  }
}

const first = 'broadcast-channel'
const second = 'storage-event'

describe('channels', () => {
  test('frames go by the best way that opens; the others are listened on a moment later', () => {
    const { channels, posted, open, pass, changes } = createRig()
    channels.open()
    expect([...open]).toEqual([first])
    expect(channels.kind).toBe(first)
    pass(2000)
    expect([...open]).toEqual([first, second])
    expect(posted()).toEqual([first])
    channels.close()
    expect([...open, ...changes]).toEqual([])
  })

  test('closed before that moment, nothing opens any more', () => {
    const { channels, open, pass } = createRig()
    channels.open()
    channels.close()
    pass(10_000)
    expect([...open]).toEqual([])
  })

  test('without the best way the next one is the first', () => {
    const { channels, posted } = createRig([second])
    channels.open()
    expect(posted()).toEqual([second])
    expect(channels.kind).toBe(second)
  })

  test('without any there is none', () => {
    const { channels, posted } = createRig([])
    channels.open()
    expect([channels.kind, channels.isOpen(), ...posted()]).toEqual([undefined, false])
  })

  test('who runs and is not heard of for 4 s is sent to by every way, until the first one brings something', () => {
    const { channels, posted, pass, changes, hear, look } = createRig()
    channels.open()
    expect(look('a')).toBe(true)
    pass(3999)
    look('a')
    expect(posted()).toEqual([first])
    pass(1)
    look('a')
    expect(posted()).toEqual([first, second])
    expect(changes).toEqual([[second, true]])
    hear(first, 'a')
    expect(look('a')).toBe(false)
    expect(posted()).toEqual([first])
    expect(changes).toEqual([[second, true], [first, false]])
  })

  test('who is heard by the second way alone is sent to by every way, as long as that lasts', () => {
    const { channels, posted, pass, hear, look } = createRig()
    channels.open()
    look('a')
    for (let i = 0; i < 100; i++) {
      pass(5000)
      look('a')
      if (i % 6 === 0) hear(second, 'a')
      expect(posted()).toEqual([first, second])
    }
  })

  test('who has gone is not missed', () => {
    const { channels, pass, look, posted } = createRig()
    channels.open()
    look('a')
    pass(5000)
    expect(look('')).toBe(false)
    expect(posted()).toEqual([first])
  })

  test('missed for a moment is a matter of time', () => {
    const { channels, changes, pass, hear, look } = createRig()
    channels.open()
    look('a')
    pass(1000)
    hear(first, 'a')
    pass(4000)
    expect(look('a')).toBe(false)
    pass(5000)
    expect(look('ab')).toBe(true)
    expect(changes).toEqual([])
  })

  test('who was heard of, and then is no more by the first way, is looked for by every way', () => {
    const { channels, posted, pass, hear, look } = createRig()
    channels.open()
    hear(first, 'a')
    for (let ms = 0; ms < 129_000; ms += 5000) {
      expect(look('a')).toBe(false)
      expect(posted()).toEqual([first])
      pass(5000)
    }
    look('a')
    pass(5000)
    look('a')
    expect(posted()).toEqual([first, second])
  })

  test('who answers by no way is given up after a minute, and found again when heard', () => {
    const { channels, posted, pass, hear, look } = createRig()
    channels.open()
    look('a')
    pass(5000)
    look('a')
    expect(posted()).toEqual([first, second])
    pass(60_000)
    expect(look('a')).toBe(true)
    expect(posted()).toEqual([first])
    hear(second, 'a')
    look('a')
    expect(posted()).toEqual([first, second])
  })

  test('after a sleep everybody is given time, and looked for again', () => {
    const { channels, posted, pass, hear, look } = createRig()
    channels.open()
    look('a')
    pass(5000)
    hear(second, 'a')
    look('a')
    expect(posted()).toEqual([first, second])
    pass(3_600_000)
    look('a')
    pass(5000)
    look('a')
    expect(posted()).toEqual([first, second])
  })

  test('who uses the second way is answered by it for a minute at a time: two do not keep each other at it', () => {
    const { channels, posted, hear, pass, received, changes } = createRig()
    channels.open()
    pass(2000)
    hear(second, 'a', 7)
    expect(posted()).toEqual([first, second])
    expect(changes).toEqual([[second, true]])
    pass(59_999)
    hear(second, 'a', 8)
    expect(posted()).toEqual([first, second])
    pass(1)
    expect(posted()).toEqual([first])
    expect(changes).toEqual([[second, true], [first, false]])
    pass(59_000)
    hear(second, 'a', 9)
    expect(posted()).toEqual([first])
    pass(1000)
    hear(second, 'a', 10)
    expect(posted()).toEqual([first, second])
    expect(received).toEqual([7, 8, 9, 10])
  })
})

describe('stores', () => {
  test('share by storage events where there is no BroadcastChannel', async () => {
    const mesh = createMesh({ channels: ['storage-event'] })
    const a = (await mesh.ready({ state: { text: '', n: 0 } })).store
    const b = (await mesh.ready({ state: { text: '', n: 0 } })).store
    expect(a.status.channel).toBe('storage-event')
    a.setState({ text: 'ä \ud83d\ude00 '.repeat(50_000) }) // in fragments
    b.increment(['n'])
    await until(() => a.getState().n === 1 && b.getState().text === a.getState().text, 'both')
  })

  test('go on by storage events when the BroadcastChannel reaches nobody', async () => {
    const mesh = createMesh({ lose: (kind) => kind === 'broadcast-channel' })
    const a = (await mesh.ready({ persist: false })).store
    const b = (await mesh.ready({ persist: false })).store
    a.setState({ from: { a: 1 } })
    b.setState({ from: { b: 2 } })
    await until(() => a.status.channel === 'storage-event' && b.status.channel === 'storage-event', 'the second way', 12_000)
    await until(() => b.getState().from?.a === 1 && a.getState().from?.b === 2, 'both')
  }, 20_000)

  test('without any way say so', async () => {
    const mesh = createMesh({ channels: [] })
    const { store } = await mesh.ready()
    expect(store.status.channel).toBe('none')
    store.set(['a'], 1)
    await store.flush()
  })

  test('use the ways that they are given', async () => {
    const mesh = createMesh()
    const { store } = await mesh.ready({ channels: ['storage-event'] })
    expect(store.status.channel).toBe('storage-event')
  })
})

describe('bytes as text', () => {
  test('come back as they were, without a lone surrogate on the way', () => {
    for (const size of [0, 1, 2, 67, 255, 4096]) {
      const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 3)) & 0xff)
      const text = packer.pack(bytes)
      expect(() => encodeURIComponent(text)).not.toThrow() // it would for a lone surrogate
      expect(packer.unpack(text)).toEqual(bytes)
    }
  })

  test('that nobody packed are refused here, or by the checksum of the frame', () => {
    for (const text of ['', '\u0000', 'hello', 'ᯡ', '\uffff'.repeat(20)]) expect(() => packer.unpack(text)).not.toThrow()
    expect(packer.unpack(lz.compress('ā', lzForms.utf16))).toBeUndefined()
  })
})

describe('a channel of the app\'s own', () => {
  /** A hub that all tabs know, by mesh. */
  function createHub(): { readonly channel: CustomChannel; readonly open: Map<string, number>; fails: boolean; inject: (mesh: string, frame: unknown) => void } {
    const listeners = new Map<string, Set<(frame: Uint8Array) => void>>()
    const hub = {
      fails: false,
      open: new Map<string, number>(),
      inject: (mesh: string, frame: unknown): void => listeners.get(mesh)?.forEach((listener) => listener(frame as Uint8Array)),
      channel: {
        name: 'hub',
        open(mesh: string, receive: (frame: Uint8Array) => void) {
          if (hub.fails) throw new Error('of the app')
          const all = listeners.get(mesh) ?? listeners.set(mesh, new Set()).get(mesh)!
          all.add(receive)
          hub.open.set(mesh, all.size)
          return {
            post(frame: Uint8Array) {
              if (hub.fails) throw new Error('of the app')
              for (const other of all) if (other !== receive) queueMicrotask(() => all.has(other) && other(frame))
            },
            close: () => {
              all.delete(receive)
              hub.open.set(mesh, all.size)
            },
          }
        },
      },
    }
    return hub
  }
  const state = { n: 0 }

  test('carries the store alone, and status tells its name', async () => {
    const hub = createHub()
    const mesh = createMesh({ channels: [] }) // nothing else reaches anybody
    const options = { state, persist: false, channels: [hub.channel] }
    const [a, b] = [(await mesh.ready(options)).store, (await mesh.ready(options)).store]
    expect(a.status.channel).toBe('hub')
    await a.setState({ n: 1 }).shared
    expect(b.getState().n).toBe(1)
    expect([...hub.open]).toEqual([['test', 2], ['test@', 2]])
    await Promise.all([a.close(), b.close()])
    expect([...hub.open.values()]).toEqual([0, 0])
  })

  test('is told once when it throws, and what it did not carry is asked for later', async () => {
    const hub = createHub()
    const mesh = createMesh({ channels: [] })
    const errors: unknown[] = []
    const options = { state, channels: [hub.channel] }
    const [a, b] = [(await mesh.ready(options)).store, (await mesh.ready(options)).store]
    a.on('error', ({ error }) => errors.push((error as { code?: unknown }).code))
    hub.fails = true
    for (const n of [1, 2]) await a.setState({ n }).durable
    expect(errors).toEqual(['listener-failed'])
    expect(b.getState().n).toBe(0)
    hub.fails = false
    a.setState({ n: 3 })
    await until(() => b.getState().n === 3)
  })

  test('that cannot be opened, or brings anything else than frames, does no harm', async () => {
    const hub = createHub()
    const mesh = createMesh()
    const options = { state, channels: [hub.channel, 'broadcast-channel' as const] }
    hub.fails = true
    const errors: unknown[] = []
    const opened = mesh.open(options)
    opened.store.on('error', ({ error }) => errors.push((error as { code?: unknown }).code))
    await opened.store.ready
    expect(errors).toContain('listener-failed')
    expect(opened.store.status.channel).toBe('broadcast-channel')
    const other = (await mesh.ready({ state })).store
    await other.setState({ n: 1 }).shared
    expect(opened.store.getState().n).toBe(1)
    hub.fails = false
    const third = (await mesh.ready(options)).store
    third.on('error', () => undefined)
    const before = third.stats().framesIn
    for (const bytes of [undefined, 'text', new Uint8Array(), Uint8Array.of(1, 2, 3), new ArrayBuffer(8)]) hub.inject('test', bytes)
    await third.setState({ n: 5 }).durable
    expect(third.stats().framesIn).toBe(before + 5)
    expect(third.getState().n).toBe(5)
  })

  test('has a name and a way to open it', () => {
    expect(() => createMesh().open({ channels: [{ name: 'none' } as never] })).toThrow('{ name, open }')
  })
})
