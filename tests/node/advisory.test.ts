// Who takes the lead where nothing but a channel is there, on a clock that is moved by hand.
import { describe, expect, test } from 'vitest'
import { createAdvisory, termOfItsOwn } from '../../js-glue/advisory.ts'
import type { Clock } from '../../js-glue/platform.ts'

describe('the advice', () => {
  /** A tab with that name among these, all heard of at 0; `pass` lets its timer run. */
  function createRig(instance: string, others: string[]): { pass: (ms?: number) => void; heard: (id: string) => void; state: { leader: string | undefined; granted: number } } {
    const state = { leader: undefined as string | undefined, granted: 0 }
    let now = 0
    let task: (() => void) | undefined
    const seen = new Map(others.map((id) => [id, 0]))
    const clock = {
      now: () => now,
      after: (_ms: number, then: () => void) => {
        task = then
        return () => (task = undefined)
      },
    } as unknown as Clock
    createAdvisory({ clock, instance, peers: () => [...seen].map(([id, lastSeen]) => ({ id, lastSeen })), leader: () => state.leader }).request({ granted: () => state.granted++, lost: () => undefined })
    return {
      state,
      heard: (id) => seen.set(id, now),
      pass(ms = 2000) {
        now += ms
        const due = task
        task = undefined
        due?.()
      },
    }
  }

  test('the first by name takes the lead after three looks, the second a look later', () => {
    for (const [name, looks] of [['b', 3], ['d', 4], ['f', 5]] as const) {
      const rig = createRig(name, ['a', 'c', 'e'].slice(0, looks - 3))
      for (let n = 1; n < looks; n++) {
        expect([name, n, rig.state.granted]).toEqual([name, n, 0])
        rig.pass()
      }
      expect([name, rig.state.granted]).toEqual([name, 1])
    }
  })

  test('nobody takes it while somebody leads who is heard of, and begins anew when that one is silent for more than two minutes', () => {
    const rig = createRig('a', ['b'])
    rig.state.leader = 'b'
    for (let n = 0; n < 5; n++) rig.pass()
    rig.heard('b')
    for (let n = 0; n < 60; n++) rig.pass()
    expect(rig.state.granted).toBe(0)
    for (let n = 0; n < 10; n++) rig.pass()
    expect(rig.state.granted).toBe(1)
  })

  test('a leader that is not known as here does not count', () => {
    const rig = createRig('a', [])
    rig.state.leader = 'gone'
    for (let n = 0; n < 2; n++) rig.pass()
    expect(rig.state.granted).toBe(1)
  })

  test('terms are not below what is known, and differ by the name', () => {
    expect([termOfItsOwn(1, '0000'), termOfItsOwn(1, '0001'), termOfItsOwn(2, '0001'), termOfItsOwn(70_000, 'ffff')]).toEqual([65_536, 1, 65_537, 131_071])
    for (const name of ['0000', '1234', 'ffff']) for (const atLeast of [1, 65_535, 65_536, 65_537, 1e12]) expect(termOfItsOwn(atLeast, name)).toBeGreaterThanOrEqual(atLeast)
  })
})
