// The ways to the other tabs: the best that there is, and the others where that one does not reach everybody.
import type { Channel, ChannelKind, Clock } from './platform.ts'

/** The other ways are listened on from then on: opening them must not delay the start. */
const spareAfterMs = 2000
/** Somebody who runs may just have begun. */
const suspectMs = 4000
/** Since the last frame that came by another way. */
const narrowAfterMs = 30_000

export interface ChannelsParts {
  readonly kinds: readonly ChannelKind[]
  readonly clock: Clock
  readonly openChannel: (kind: ChannelKind, receive: (frame: Uint8Array) => void) => Channel | undefined
  readonly receive: (frame: Uint8Array) => void
  readonly onChange: () => void
}

export interface Channels {
  /** The way by which everybody is reached, as far as is known; when closed, the one that was. */
  readonly kind: ChannelKind | undefined
  open(): void
  isOpen(): boolean
  post(frame: Uint8Array): void
  /**
   * Who lives as the locks say, and who has been heard of. Who has not been for a while is sent to by every way.
   * Returns whether somebody was not.
   */
  look(alive: readonly string[], heard: readonly string[]): boolean
  close(): void
}

export function createChannels({ kinds, clock, openChannel, receive, onChange }: ChannelsParts): Channels {
  let kind: ChannelKind | undefined
  let ways: { readonly kind: ChannelKind; readonly channel: Channel }[] = []
  let unopened: ChannelKind[] = []
  let cancelSpare: (() => void) | undefined
  let wide = false
  let missingSince: number | undefined
  let spareHeardAt = -Infinity

  function openNext(): boolean {
    const next = unopened.shift()
    if (next === undefined) return false
    const isSpare = ways.length > 0
    const channel = openChannel(next, (frame) => {
      if (isSpare) {
        spareHeardAt = clock.now()
        setWide(true)
      }
      receive(frame)
    })
    if (channel) ways.push({ kind: next, channel })
    return true
  }

  function openAll(): void {
    cancelSpare?.()
    cancelSpare = undefined
    while (openNext());
  }

  function setWide(now: boolean): void {
    if (now) openAll()
    if (wide === (now && ways.length > 1)) return
    wide = !wide
    kind = ways.at(wide ? -1 : 0)?.kind
    onChange()
  }

  return {
    get kind() {
      return kind
    },
    open() {
      unopened = [...kinds]
      while (ways.length === 0 && openNext());
      kind = ways[0]?.kind
      if (unopened.length > 0) cancelSpare = clock.after(spareAfterMs, openAll)
    },
    isOpen: () => ways.length > 0,
    post(frame) {
      ways[0]?.channel.post(frame)
      if (wide) for (const { channel } of ways.slice(1)) channel.post(frame)
    },
    look(alive, heard) {
      const isMissing = alive.some((id) => !heard.includes(id))
      const now = clock.now()
      missingSince = isMissing ? (missingSince ?? now) : undefined
      if (isMissing && now - missingSince! >= suspectMs) setWide(true)
      else if (!isMissing && now - spareHeardAt > narrowAfterMs) setWide(false)
      return isMissing
    },
    close() {
      cancelSpare?.()
      cancelSpare = undefined
      for (const { channel } of ways) channel.close()
      ways = []
      unopened = []
      wide = false
      missingSince = undefined
    },
  }
}
