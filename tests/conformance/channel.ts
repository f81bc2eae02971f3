// Channel: a lossy way to all other tabs of the store, in order from each of them.
import type { BytePacker, Channel, ChannelKind } from '../../js-glue/platform.ts'
import { bytes, check, equal, newName, numbers, pause, until, type Case, type Tab } from './surroundings.ts'

/** Registration takes its time (HTML, BroadcastChannel); nothing is kept for who comes later. */
async function connect(ends: readonly End[]): Promise<void> {
  for (const from of ends) {
    for (const to of ends) {
      if (to === from) continue
      const before = to.got.length
      await until(() => (from.channel.post(bytes(0xee)), to.got.length > before), 'a first frame')
    }
  }
  await pause()
  for (const end of ends) end.got.length = 0
}

interface End {
  readonly channel: Channel
  readonly got: Uint8Array[]
}

export function channelCases(kind: ChannelKind, packer: BytePacker): Case[] {
  const open = (tab: Tab, name: string): End => {
    const got: Uint8Array[] = []
    const channel = tab.platform.openChannel(kind, name, (frame) => got.push(frame), packer)
    check(channel !== undefined, `there is no ${kind} here`)
    return { channel, got }
  }

  return [
    {
      name: 'a frame reaches all other tabs of the store, once, and not its sender nor another store',
      async run({ openTab }) {
        const name = newName()
        const ends = [open(await openTab(), name), open(await openTab(), name), open(await openTab(), name)]
        const other = open(await openTab(), `${name}-other`)
        await connect(ends)
        ends[0]!.channel.post(bytes(1, 2, 3))
        await until(() => ends.slice(1).every(({ got }) => got.length > 0), 'the frame')
        await pause()
        equal(ends.map(({ got }) => numbers(got)), [[], [[1, 2, 3]], [[1, 2, 3]]], 'what the tabs got')
        equal(numbers(other.got), [], 'what another store got')
        for (const { channel } of [...ends, other]) channel.close()
      },
    },
    {
      name: 'the frames of a tab come in their order',
      async run({ openTab }) {
        const name = newName()
        const [a, b] = [open(await openTab(), name), open(await openTab(), name)]
        await connect([a, b])
        for (let i = 0; i < 200; i++) a.channel.post(bytes(i))
        await until(() => b.got.length === 200, '200 frames')
        equal(b.got.map(([byte]) => byte), Array.from({ length: 200 }, (_, i) => i), 'their order')
        for (const { channel } of [a, b]) channel.close()
      },
    },
    {
      name: 'bytes of every value and size up to 64 KiB come as they were',
      async run({ openTab }) {
        const name = newName()
        const [a, b] = [open(await openTab(), name), open(await openTab(), name)]
        await connect([a, b])
        const sizes = [1, 2, 255, 256, 4096, 65_536]
        const frames = sizes.map((size) => Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8)) & 0xff))
        for (const frame of frames) a.channel.post(frame)
        await until(() => b.got.length === frames.length, 'all sizes')
        frames.forEach((frame, i) => check(frame.every((byte, at) => b.got[i]![at] === byte) && b.got[i]!.length === frame.length, `${sizes[i]!} bytes came as others`))
        for (const { channel } of [a, b]) channel.close()
      },
    },
    {
      name: 'what was posted may be changed afterwards, and posted again',
      async run({ openTab }) {
        const name = newName()
        const [a, b] = [open(await openTab(), name), open(await openTab(), name)]
        await connect([a, b])
        const frame = bytes(1)
        for (const byte of [1, 2, 2]) {
          frame[0] = byte
          a.channel.post(frame)
        }
        frame[0] = 9
        await until(() => b.got.length === 3, 'three frames')
        equal(numbers(b.got), [[1], [2], [2]], 'the frames')
        for (const { channel } of [a, b]) channel.close()
      },
    },
    {
      name: 'closed, it neither sends nor receives, and posting does no harm',
      async run({ openTab }) {
        const name = newName()
        const [a, b] = [open(await openTab(), name), open(await openTab(), name)]
        await connect([a, b])
        b.channel.close()
        a.channel.post(bytes(1))
        b.channel.post(bytes(2))
        b.channel.close()
        await pause()
        equal([numbers(a.got), numbers(b.got)], [[], []], 'what came')
        a.channel.close()
      },
    },
    {
      name: 'goes on when another tab dies',
      async run({ openTab }) {
        const name = newName()
        const dying = await openTab()
        const [a, b, c] = [open(await openTab(), name), open(await openTab(), name), open(dying, name)]
        await connect([a, b, c])
        dying.kill()
        a.channel.post(bytes(1))
        await until(() => b.got.length === 1, 'the frame')
        for (const { channel } of [a, b]) channel.close()
      },
    },
  ]
}
