// The clock of real surroundings, where messages are lost.
import { afterEach, expect, test, vi } from 'vitest'
import { createSystemClock } from '../../js-glue/platform/system-clock.ts'

afterEach(() => vi.unstubAllGlobals())

test('a task that is to run soon runs soon, though the message for it is lost, and so do those after it, by another channel', async () => {
  const channels: { isDead: boolean }[] = []
  class Channel {
    isDead = false
    readonly port1: { onmessage?: () => void; unref(): void } = { unref: () => undefined }
    readonly port2 = {
      unref: () => undefined,
      postMessage: () => {
        if (!this.isDead) setImmediate(() => this.port1.onmessage?.())
      },
    }
    constructor() {
      channels.push(this)
    }
  }
  vi.stubGlobal('MessageChannel', Channel)
  const clock = createSystemClock()
  const soon = (): Promise<void> => new Promise((resolve) => clock.soon(resolve))
  await soon()
  await soon()
  expect(channels).toHaveLength(1)
  channels[0]!.isDead = true
  const order: number[] = []
  await Promise.all([1, 2, 3].map((n) => soon().then(() => order.push(n))))
  expect(order).toEqual([1, 2, 3])
  await soon()
  await soon()
  expect(channels).toHaveLength(2)
})
