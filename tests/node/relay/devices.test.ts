// Devices that share a room, over a real relay and a real Redis: each is a mesh of its own, of tabs on the memory twin.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Relay } from '../../../js-glue/relay.ts'
import type { Store, StoreOptions } from '../../../js-glue/index.ts'
import { createMesh, until, type AnyState, type Mesh } from '../mesh.ts'
import { freePort, relayOn, startRedis, type Redis } from './servers.ts'

let redis: Redis
let relay: Relay
const stores: Store<AnyState>[] = []

beforeAll(async () => {
  redis = await startRedis()
  relay = await relayOn(redis)
})
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()))
})
afterAll(async () => {
  await relay.close(0)
  await redis.close()
})

let rooms = 0
const roomOf = (): string => `room-${++rooms}`

async function open(mesh: Mesh, room: string, options: Partial<StoreOptions<AnyState>> = {}, url = relay.url): Promise<Store<AnyState>> {
  const { store } = await mesh.ready({ relay: { url, token: () => 'ada', room }, ...options })
  stores.push(store)
  return store
}

const online = (store: Store<AnyState>): Promise<void> => until(() => store.status.relay === 'online', 'the relay')
const digestOf = async (store: Store<AnyState>): Promise<string> => (await store.inspect().layers())[0]!.digest!

describe('two devices', () => {
  test('have what either writes, in all tabs, and it is relayed', async () => {
    const room = roomOf()
    const [one, two] = [createMesh(), createMesh()]
    const a1 = await open(one, room)
    await online(a1)
    const a2 = await open(one, room)
    const b1 = await open(two, room)
    const b2 = await open(two, room)
    await online(b1)
    a1.set(['from', 'a1'], 1)
    await a2.set(['from', 'a2'], 2).relayed
    await b2.set(['from', 'b2'], 3).relayed
    await until(() => [a1, a2, b1, b2].every((store) => JSON.stringify(Object.values(store.getState().from as object).sort()) === '[1,2,3]'))
    expect(new Set(await Promise.all([a1, a2, b1, b2].map(digestOf))).size).toBe(1)
    await a1.set(['from', 'a1'], 9).relayed
    expect(await redis.command('GET', `tabmesh:{default:${room}}:version`)).not.toBeNull()
  })

  test('what was written before the relay was there is sent when it is, once', async () => {
    const room = roomOf()
    const port = await freePort()
    const url = `ws://127.0.0.1:${port}`
    const [one, two] = [createMesh(), createMesh()]
    const a = await open(one, room, {}, url)
    const b = await open(two, room, {}, url)
    await until(() => a.status.relay === 'offline')
    for (let i = 0; i < 200; i++) a.set(['a', `k${i}`], i)
    a.increment(['count'], 5)
    b.increment(['count'], 7)
    let relayed = false
    void a.set(['last'], true).relayed.then(() => (relayed = true))
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(relayed).toBe(false)
    const late = await relayOn(redis, { port })
    await until(() => b.getState().last === true && a.getState().count === 12 && b.getState().count === 12, 'what was written offline', 20_000)
    await until(() => relayed)
    expect(Object.keys(b.getState().a as object)).toHaveLength(200)
    expect(await digestOf(a)).toBe(await digestOf(b))
    await late.close(0)
  })

  test('a third one has all of it from the log, and after compaction from the checkpoint', async () => {
    const room = roomOf()
    const a = await open(createMesh(), room)
    await online(a)
    for (let i = 0; i < 1200; i++) {
      await a.set(['k', String(i % 100)], i).applied // a frame each
      if (i % 50 === 0) await a.set(['step'], i).relayed
    }
    await a.set(['step'], 'done').relayed
    await until(() => relay.stats().checkpoints! > 0)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(Number(await redis.command('XLEN', `tabmesh:{default:${room}}:log`))).toBeLessThan(1300)
    const late = await open(createMesh(), room)
    await online(late)
    await until(() => late.getState().step === 'done')
    expect(await digestOf(late)).toBe(await digestOf(a))
    // Another relay, which has to read what is stored.
    const other = await relayOn(redis)
    const far = await open(createMesh(), room, {}, other.url)
    await until(() => far.getState().step === 'done')
    await far.set(['k', 'far'], 1).relayed
    await until(() => a.getState().k.far === 1)
    expect(await digestOf(far)).toBe(await digestOf(a))
    await other.close(0)
  })

  test('strategies hold across them', async () => {
    const room = roomOf()
    const options = { conflicts: { first: 'first-write-wins', choice: 'prompt' }, lists: { list: 'id' } } as const
    const port = await freePort()
    const url = `ws://127.0.0.1:${port}`
    const a = await open(createMesh(), room, options, url)
    const b = await open(createMesh(), room, options, url)
    a.setState({ first: 'a', choice: 'a', list: [{ id: 1, t: 'a' }] }) // prettier-ignore
    await new Promise((resolve) => setTimeout(resolve, 5))
    b.setState({ first: 'b', choice: 'b', list: [{ id: 2, t: 'b' }] }) // prettier-ignore
    const late = await relayOn(redis, { port })
    await until(() => a.conflicts.list().length === 1 && b.conflicts.list().length === 1, 'the conflict', 20_000)
    expect([a.getState().first, b.getState().first]).toEqual(['a', 'a'])
    await until(() => a.getState().list.length === 2 && b.getState().list.length === 2)
    await b.conflicts.resolve(b.conflicts.list()[0]!.id, { value: 'c' }).relayed
    await until(() => a.getState().choice === 'c' && a.conflicts.list().length === 0)
    expect(await digestOf(a)).toBe(await digestOf(b))
    await late.close(0)
  })

  test('what a user could not send is not sent when another one has logged in, until it is erased', async () => {
    const room = roomOf()
    const mesh = createMesh()
    const port = await freePort()
    const as = (user: string): Partial<StoreOptions<AnyState>> => ({ relay: { url: `ws://127.0.0.1:${port}`, token: () => user, room } })
    const first = await relayOn(redis, { port })
    const ada = await open(mesh, room, as('ada'))
    await online(ada)
    await ada.set(['known'], 'by all').relayed
    await first.close(0)
    await ada.set(['private'], 'of ada').durable
    await ada.close()
    const second = await relayOn(redis, { port })
    const bob = await open(mesh, room, as('bob'))
    const refused = new Promise<Error>((resolve) => bob.on('error', ({ error }) => resolve(error)))
    expect((await refused).message).toContain('another user')
    expect(bob.status.relay).toBe('refused')
    await bob.set(['by bob'], 1).durable
    expect(await redis.command('GET', `tabmesh:{default:${room}}:version`)).toBe('1')
    await bob.destroy()
    const anew = await open(mesh, room, as('bob'))
    await online(anew)
    await until(() => anew.getState().known === 'by all')
    expect(anew.getState()).not.toHaveProperty('private')
    await second.close(0)
  })

  test('other devices are among the tabs, and leave', async () => {
    const room = roomOf()
    const a = await open(createMesh(), room)
    await online(a)
    const b = await open(createMesh(), room)
    await online(b)
    await until(() => a.tabs.some(({ device }) => device !== undefined) && b.tabs.some(({ device }) => device !== undefined))
    expect(a.tabs).toHaveLength(2)
    await b.close()
    await until(() => a.tabs.length === 1)
  })

  test('another tab of the device leads on', async () => {
    const room = roomOf()
    const mesh = createMesh()
    const first = await mesh.ready({ relay: { url: relay.url, token: () => 'ada', room } })
    const refused = new Promise<Error>((resolve) => first.store.on('error', ({ error }) => resolve(error)))
    await online(first.store)
    const second = await open(mesh, room)
    const far = await open(createMesh(), room)
    await online(far)
    first.tab.kill()
    await until(() => second.leader.isLeader && second.status.relay === 'online', 'the second tab to lead', 20_000)
    await second.set(['x'], 1).relayed
    await until(() => far.getState().x === 1)
    // The twin's tab is dead, but its socket is not, as that of a tab that was stopped: the relay ends it.
    expect((await refused).message).toContain('stale-term')
  })
})
