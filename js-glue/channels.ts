// The ways to the other tabs: the best that there is, and the others where that one does not reach everybody.
import type { Channel, Clock } from './platform.ts'

/** The other ways are listened on from then on: opening them must not delay the start. */
const spareAfterMs = 2000
/** Everybody gossips every 30 s, and in hidden pages timers run once a minute: who is silent for longer is missing. */
const silentMs = 130_000
/** Whoever runs and was never heard of may just have begun. */
const suspectMs = 4000
/** Who is sent to by every way for so long, and is not heard of by any, is beyond all of them. */
const hopelessMs = 60_000
/** Whoever uses another way is answered by it for so long, and then not for as long: else two would keep each other at it. */
const answerMs = 60_000
/** Senders remembered without a look, which tells who is gone. */
const heardMax = 1024
/** Between two looks: this tab has slept, and what it knows of others is old. */
const sleptMs = 180_000

/** One of them. */
export interface Way {
  readonly kind: string
  /** Undefined where there is none. */
  readonly open: (receive: (frame: Uint8Array) => void) => Channel | undefined
}

export interface ChannelsParts {
  /** Best first. */
  readonly ways: readonly Way[]
  readonly clock: Clock
  readonly receive: (frame: Uint8Array) => void
  /** `kind` is another one; `wider`: frames go by more ways than before. */
  readonly onChange: (wider: boolean) => void
}

export interface Channels {
  /** The way by which everybody is reached, as far as is known; when closed, the one that was. */
  readonly kind: string | undefined
  open(): void
  isOpen(): boolean
  post(frame: Uint8Array): void
  /** The other tabs that run, as the locks say: instances in hex. Returns whether some are not heard of by the first way. */
  look(others: readonly string[]): boolean
  close(): void
}

/** Of an instance: the first four bytes of its 16 distinguish the tabs of one browser. */
const keyOfId = (id: string): number => parseInt(id.slice(0, 8), 16)
/** Every frame names its sender after its head of 8 bytes (wasm/wire/WIRE_FORMAT.md). */
const keyOfSender = (frame: Uint8Array): number => ((frame[8]! << 24) | (frame[9]! << 16) | (frame[10]! << 8) | frame[11]!) >>> 0

export function createChannels({ ways: all, clock, receive, onChange }: ChannelsParts): Channels {
  let ways: { readonly kind: string; readonly channel: Channel }[] = []
  let unopened: Way[] = []
  let kind: string | undefined
  let cancelSpare: (() => void) | undefined
  /** When each sender was last heard of by the first way, and by another. */
  const heard = [new Map<number, number>(), new Map<number, number>()] as const
  const missingSince = new Map<number, number>()
  let lookedAt = -Infinity
  let someoneNeedsAll = false
  let answeredAt = -Infinity

  function openNext(): boolean {
    const next = unopened.shift()
    if (next === undefined) return false
    const isSpare = ways.length > 0
    const channel = next.open((frame) => {
      const now = clock.now()
      const known = heard[isSpare ? 1 : 0]
      if (known.size === heardMax) known.clear()
      known.set(keyOfSender(frame), now)
      if (isSpare && Math.abs(now - answeredAt) >= 2 * answerMs) {
        answeredAt = now
        update()
      }
      receive(frame)
    })
    if (channel) ways.push({ kind: next.kind, channel })
    return true
  }

  function openAll(): void {
    cancelSpare?.()
    cancelSpare = undefined
    while (openNext());
  }

  const isWide = (): boolean => someoneNeedsAll || Math.abs(clock.now() - answeredAt) < answerMs

  function update(): void {
    const wide = isWide()
    if (wide) openAll()
    const now = ways.at(wide ? -1 : 0)?.kind ?? kind
    if (kind === now) return
    kind = now
    onChange(wide)
  }

  return {
    get kind() {
      return kind
    },
    open() {
      unopened = [...all]
      while (ways.length === 0 && openNext());
      kind = ways[0]?.kind
      if (unopened.length > 0) cancelSpare = clock.after(spareAfterMs, openAll)
    },
    isOpen: () => ways.length > 0,
    post(frame) {
      ways[0]?.channel.post(frame)
      if (ways.length < 2) return
      update() // what is answered ends by itself
      if (isWide()) for (const { channel } of ways.slice(1)) channel.post(frame)
    },
    look(others) {
      const now = clock.now()
      const recently = (at: number | undefined): boolean => at !== undefined && Math.abs(now - at) < silentMs
      if (Math.abs(now - lookedAt) > sleptMs) missingSince.clear()
      lookedAt = now
      const keys = new Set(others.map(keyOfId))
      for (const known of [...heard, missingSince]) for (const key of known.keys()) if (!keys.has(key)) known.delete(key)
      someoneNeedsAll = false
      for (const key of keys) {
        if (recently(heard[0].get(key))) {
          missingSince.delete(key)
          continue
        }
        const since = missingSince.get(key) ?? now
        missingSince.set(key, since)
        const isDoubtful = now - since >= suspectMs && now - since < suspectMs + hopelessMs
        someoneNeedsAll ||= isDoubtful || recently(heard[1].get(key))
      }
      update()
      return missingSince.size > 0
    },
    close() {
      cancelSpare?.()
      cancelSpare = undefined
      for (const { channel } of ways) channel.close()
      ways = []
      unopened = []
      for (const known of [...heard, missingSince]) known.clear()
      someoneNeedsAll = false
      answeredAt = -Infinity
    },
  }
}
