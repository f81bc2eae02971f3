// The ways to the other tabs: which one is used when, and that what goes by storage events arrives whole.
import { describe, expect, test } from 'vitest'
import { createChannels, type Channels } from '../../js-glue/channels.ts'
import { loadModule } from '../../js-glue/core.ts'
import { lzForms, lzOf } from '../../js-glue/lz.ts'
import { channelKinds, type ChannelKind, type Clock } from '../../js-glue/platform.ts'
import { createMesh, packer, until, wasm } from './mesh.ts'

const lz = lzOf(await loadModule(wasm))

interface Rig {
  readonly channels: Channels
  readonly posted: [ChannelKind, number][]
  readonly open: Set<ChannelKind>
  readonly received: number[]
  readonly changes: (ChannelKind | undefined)[]
  /** A frame comes by that way. */
  readonly hear: (kind: ChannelKind, byte: number) => void
  readonly pass: (ms: number) => void
}

function createRig(available: readonly ChannelKind[] = channelKinds): Rig {
  let now = 0
  const timers = new Set<{ at: number; task: () => void }>()
  const receivers = new Map<ChannelKind, (frame: Uint8Array) => void>()
  const rig = { posted: [], open: new Set(), received: [], changes: [] } as unknown as Rig
  const clock = {
    now: () => now,
    after(ms: number, task: () => void) {
      const timer = { at: now + ms, task }
      timers.add(timer)
      return () => timers.delete(timer)
    },
  } as unknown as Clock
  const channels = createChannels({
    kinds: channelKinds,
    clock,
    openChannel(kind, receive) {
      if (!available.includes(kind)) return undefined
      rig.open.add(kind)
      receivers.set(kind, receive)
      return { post: ([byte]) => rig.posted.push([kind, byte!]), close: () => rig.open.delete(kind) }
    },
    receive: ([byte]) => rig.received.push(byte!),
    onChange: () => rig.changes.push(channels.kind),
  })
  return Object.assign(rig, {
    channels,
    hear: (kind: ChannelKind, byte: number) => receivers.get(kind)!(Uint8Array.of(byte)),
    pass(ms: number) {
      now += ms
      for (const timer of timers) if (timer.at <= now && timers.delete(timer)) timer.task()
    },
  })
}

describe('channels', () => {
  test('frames go by the best way that opens; the others are listened on a moment later', () => {
    const { channels, posted, open, pass, changes } = createRig()
    channels.open()
    expect([...open]).toEqual(['broadcast-channel'])
    expect(channels.kind).toBe('broadcast-channel')
    pass(2000)
    expect([...open]).toEqual(['broadcast-channel', 'storage-event'])
    channels.post(Uint8Array.of(1))
    expect(posted).toEqual([['broadcast-channel', 1]])
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
    const { channels, posted } = createRig(['storage-event'])
    channels.open()
    channels.post(Uint8Array.of(1))
    expect(posted).toEqual([['storage-event', 1]])
    expect(channels.kind).toBe('storage-event')
  })

  test('without any there is none', () => {
    const { channels } = createRig([])
    channels.open()
    channels.post(Uint8Array.of(1))
    expect([channels.kind, channels.isOpen()]).toEqual([undefined, false])
  })

  test('somebody who lives and is not heard of for 4 s is sent to by every way, until heard of by the first alone', () => {
    const { channels, posted, pass, changes, hear, received } = createRig()
    channels.open()
    expect(channels.look(['me', 'other'], ['me'])).toBe(true)
    pass(3999)
    expect(channels.look(['me', 'other'], ['me'])).toBe(true)
    channels.post(Uint8Array.of(1))
    pass(1)
    expect(channels.look(['me', 'other'], ['me'])).toBe(true)
    channels.post(Uint8Array.of(2))
    expect(posted).toEqual([['broadcast-channel', 1], ['broadcast-channel', 2], ['storage-event', 2]])
    expect(changes).toEqual(['storage-event'])

    hear('storage-event', 9)
    pass(30_000)
    expect(channels.look(['me', 'other'], ['me', 'other'])).toBe(false) // by the second, until now
    expect(channels.kind).toBe('storage-event')
    pass(1)
    channels.look(['me', 'other'], ['me', 'other'])
    channels.post(Uint8Array.of(3))
    expect(posted.slice(3)).toEqual([['broadcast-channel', 3]])
    expect(changes).toEqual(['storage-event', 'broadcast-channel'])
    expect(received).toEqual([9])
  })

  test('missed once only is a matter of time', () => {
    const { channels, changes, pass } = createRig()
    channels.open()
    channels.look(['me', 'other'], ['me'])
    pass(5000)
    channels.look(['me', 'other'], ['me', 'other'])
    pass(5000)
    channels.look(['me', 'another', 'other'], ['me', 'other'])
    expect(changes).toEqual([])
  })

  test('who is heard by another way is answered by every way', () => {
    const { channels, posted, hear, pass, received } = createRig()
    channels.open()
    pass(2000)
    hear('storage-event', 7)
    channels.post(Uint8Array.of(1))
    expect(posted).toEqual([['broadcast-channel', 1], ['storage-event', 1]])
    expect(received).toEqual([7])
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
