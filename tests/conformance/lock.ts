// Lock: one tab holds it, the others wait in a row; and a register of who runs.
import type { Lock, Roll } from '../../js-glue/platform.ts'
import { check, equal, newName, pause, until, type Case, type Tab } from './surroundings.ts'

const open = (tab: Tab, name: string): Lock => {
  const lock = tab.platform.openLock(name)
  check(lock !== undefined, 'there are no locks here')
  return lock
}

const [aa, bb, cc, dd] = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(32)) as [string, string, string, string]

async function untilRoll(lock: Lock, what: string, reached: (roll: Roll) => boolean): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (reached(await lock.roll())) return
    await pause(10)
  }
  throw new Error(`${what}: ${JSON.stringify(await lock.roll())}`)
}

export const lockCases: Case[] = [
  {
    name: 'one holds it, the next follows when it is released, in the order of their asking',
    async run({ openTab }) {
      const name = newName()
      const got: string[] = []
      const locks: Lock[] = []
      for (const tab of ['a', 'b', 'c']) {
        const lock = open(await openTab(), name)
        locks.push(lock)
        lock.request({ granted: () => got.push(tab), lost: () => got.push(`${tab} lost it`) })
        await pause(20)
      }
      await until(() => got.length > 0, 'the lock')
      await pause()
      equal(got, ['a'], 'who holds it')
      locks[0]!.release()
      await until(() => got.length > 1, 'the second')
      locks[1]!.release()
      await until(() => got.length > 2, 'the third')
      equal(got, ['a', 'b', 'c'], 'who held it')
      locks[2]!.release()
      await pause()
      equal(got.length, 3, 'how often it was granted or lost')
    },
  },
  {
    name: 'who asks again goes to the end of the row',
    async run({ openTab }) {
      const name = newName()
      const got: string[] = []
      const [a, b] = [open(await openTab(), name), open(await openTab(), name)]
      a.request({ granted: () => got.push('a'), lost: () => got.push('a lost it') })
      await until(() => got.length === 1, 'the lock')
      b.request({ granted: () => got.push('b'), lost: () => undefined })
      await pause(50)
      a.request({ granted: () => got.push('a again'), lost: () => got.push('a lost it') })
      await until(() => got.length === 2, 'the second')
      b.release()
      await until(() => got.length === 3, 'the first again')
      equal(got, ['a', 'b', 'a again'], 'who held it')
      a.release()
    },
  },
  {
    name: 'who waits and gives up is passed by',
    async run({ openTab }) {
      const name = newName()
      const got: string[] = []
      const [a, b, c] = [open(await openTab(), name), open(await openTab(), name), open(await openTab(), name)]
      a.request({ granted: () => got.push('a'), lost: () => undefined })
      await until(() => got.length === 1, 'the lock')
      b.request({ granted: () => got.push('b'), lost: () => undefined })
      await pause(20)
      c.request({ granted: () => got.push('c'), lost: () => undefined })
      b.release()
      await pause(50)
      a.release()
      await until(() => got.length === 2, 'the next')
      equal(got, ['a', 'c'], 'who held it')
      c.release()
    },
  },
  {
    name: 'the next follows when the holder dies',
    async run({ openTab }) {
      const name = newName()
      const got: string[] = []
      const dying = await openTab()
      open(dying, name).request({ granted: () => got.push('a'), lost: () => undefined })
      await until(() => got.length === 1, 'the lock')
      const b = open(await openTab(), name)
      b.request({ granted: () => got.push('b'), lost: () => undefined })
      await pause(50)
      equal(got, ['a'], 'who holds it')
      dying.kill()
      await until(() => got.length === 2, 'the next')
      equal(got, ['a', 'b'], 'who held it')
      b.release()
    },
  },
  {
    name: 'stores do not wait for each other',
    async run({ openTab }) {
      let granted = 0
      const locks = [open(await openTab(), newName()), open(await openTab(), newName())]
      for (const lock of locks) lock.request({ granted: () => granted++, lost: () => undefined })
      await until(() => granted === 2, 'both')
      for (const lock of locks) lock.release()
    },
  },
  {
    name: 'who shows itself is known to run until it hides or dies',
    async run({ openTab }) {
      const name = newName()
      const dying = await openTab()
      const [a, b, c] = [open(await openTab(), name), open(await openTab(), name), open(dying, name)]
      const other = open(await openTab(), `${name}x`)
      a.show(aa, true, () => undefined)
      b.show(bb, true, () => undefined)
      c.show(cc, true, () => undefined)
      other.show(dd, true, () => undefined)
      const alive = (...wanted: string[]): Promise<void> =>
        untilRoll(a, `who runs, ${JSON.stringify(wanted)}`, (roll) => JSON.stringify([...roll.alive].sort()) === JSON.stringify(wanted))
      await alive(aa, bb, cc)
      b.hide()
      await alive(aa, cc)
      dying.kill()
      await alive(aa)
      a.hide()
      await alive()
      other.hide()
    },
  },
  {
    name: 'others see who holds the lock, or that somebody does who does not show itself',
    async run({ openTab }) {
      const name = newName()
      const [a, b] = [open(await openTab(), name), open(await openTab(), name)]
      await untilRoll(b, 'nobody holds it', ({ holder }) => holder === undefined)
      a.request({ granted: () => undefined, lost: () => undefined })
      await untilRoll(b, 'somebody holds it', ({ holder }) => holder === '')
      b.request({ granted: () => undefined, lost: () => undefined })
      a.show(aa, true, () => undefined)
      b.show(bb, true, () => undefined)
      await untilRoll(b, 'the first holds it', ({ holder }) => holder === aa)
      a.release()
      await untilRoll(b, 'the second holds it', ({ holder }) => holder === bb)
      b.release()
      await untilRoll(b, 'nobody holds it any more', ({ holder }) => holder === undefined)
      a.hide()
      b.hide()
    },
  },
  {
    name: 'who runs is shown again after a knock, who has hidden is not',
    async run({ openTab }) {
      const name = newName()
      const dying = await openTab()
      const [a, b, c] = [open(await openTab(), name), open(await openTab(), name), open(dying, name)]
      a.show(aa, true, () => undefined)
      b.show(bb, true, () => undefined)
      c.show(cc, true, () => undefined)
      for (let i = 0; i < 3; i++) for (const id of [aa, bb, cc, dd]) a.knock(id)
      await untilRoll(a, 'all are shown again', ({ alive }) => alive.length === 3)
      b.hide()
      dying.kill()
      for (const id of [bb, cc]) a.knock(id)
      await pause()
      equal((await a.roll()).alive, [aa], 'who runs')
      b.show(bb, true, () => undefined)
      await untilRoll(a, 'shown anew', ({ alive }) => alive.includes(bb))
      a.hide()
      b.hide()
    },
  },
  {
    name: 'whoever is robbed hears of it and may queue again; the others wait on',
    async run({ openTab }) {
      const name = newName()
      const got: string[] = []
      const [a, b, c] = [open(await openTab(), name), open(await openTab(), name), open(await openTab(), name)]
      a.request({
        granted: () => got.push('a'),
        lost() {
          got.push('a lost it')
          a.request({ granted: () => got.push('a again'), lost: () => got.push('a lost it again') })
        },
      })
      await until(() => got.length === 1, 'the lock')
      b.request({ granted: () => got.push('b'), lost: () => got.push('b lost it') })
      await pause(20)
      c.request({ granted: () => got.push('c'), lost: () => got.push('c lost it') }, true)
      await until(() => got.length === 3, 'the theft')
      equal([...got].sort(), ['a', 'a lost it', 'c'], 'who holds it')
      await pause(50)
      c.release()
      await until(() => got.length === 4, 'who waited')
      b.release()
      await until(() => got.length === 5, 'who was robbed')
      equal(got.slice(3), ['b', 'a again'], 'the row')
      a.release()
    },
  },
]
