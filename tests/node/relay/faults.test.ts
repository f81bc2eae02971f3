// What dies, lies and lags behind: relays, Redis, the connection. What was relayed is never missing. TABMESH_ROUNDS: kills of the relay; half as many of Redis.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Store, StoreOptions } from '../../../js-glue/index.ts'
import { createMesh, until, type AnyState, type Mesh } from '../mesh.ts'
import { startProxy } from './proxy.ts'
import { freePort, relayOn, startRedis, type Redis } from './servers.ts'

const rounds = Number(process.env.TABMESH_ROUNDS ?? 4)
const devices = Number(process.env.TABMESH_DEVICES ?? 60)

const digestOf = async (store: Store<AnyState>): Promise<string> => (await store.inspect().layers())[0]!.digest!
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function open(mesh: Mesh, url: string, options: Partial<StoreOptions<AnyState>> = {}): Promise<Store<AnyState>> {
  const { store } = await mesh.ready({ relay: { url, token: () => 'ada', room: 'room' }, ...options })
  return store
}

/** A relay in a process of its own, as the package has it. */
async function relayProcess(redis: Redis, port: number): Promise<ChildProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'tabmesh-relay-'))
  const authenticate = join(folder, 'authenticate.mjs')
  await writeFile(authenticate, `export default (token) => ({ user: token, rooms: '*' })\n`)
  const child = spawn(process.execPath, ['dist/relay-command.js'], { env: { ...process.env, PORT: String(port), REDIS_URL: redis.url, AUTHENTICATE: authenticate }, stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (data: Buffer) => data.toString().includes('"listening"') && resolve())
    child.once('exit', (code) => reject(new Error(`the relay ended with ${code}`)))
  })
  return child
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

/** Writes all the time; the keys that were relayed. */
function writer(store: Store<AnyState>, name: string): { readonly relayed: Set<string>; readonly stop: () => void } {
  const relayed = new Set<string>()
  let n = 0
  const timer = setInterval(() => {
    const key = `${name}${n++}`
    void store.set(['written', key], n).relayed.then(
      () => relayed.add(key),
      () => undefined,
    )
  }, 3)
  return { relayed, stop: () => clearInterval(timer) }
}

describe('what was relayed is there', () => {
  test(`when the relay is killed ${rounds} times and Redis ${Math.ceil(rounds / 2.5)} times, under load`, { timeout: 1_800_000 }, async () => {
    const redis = await startRedis({ appendOnly: true })
    const port = await freePort()
    const url = `ws://127.0.0.1:${port}`
    let relay = await relayProcess(redis, port)
    const stores = [await open(createMesh(), url), await open(createMesh(), url)]
    for (const store of stores) await until(() => store.status.relay === 'online', 'the relay', 20_000)
    const writers = stores.map((store, i) => writer(store, 'ab'[i]!))
    let redisKills = 0
    for (let round = 0; round < rounds; round++) {
      await pause(100 + Math.random() * 300)
      if (redisKills < Math.ceil(rounds / 2.5) && round % 2 === 0) {
        redisKills++
        await redis.kill()
        await pause(Math.random() * 200)
        await redis.start()
        await pause(300)
      }
      await killed(relay)
      relay = await relayProcess(redis, port)
      for (const store of stores) await until(() => store.status.relay === 'online', 'the relay again', 70_000)
    }
    await pause(500)
    writers.forEach(({ stop }) => stop())
    const relayed = writers.flatMap(({ relayed: keys }) => [...keys])
    expect(relayed.length).toBeGreaterThan(50 * rounds)
    // The devices are gone: what is left is what Redis has.
    await Promise.all(stores.map((store) => store.close()))
    await killed(relay)
    relay = await relayProcess(redis, port)
    const fresh = await open(createMesh(), url)
    await until(() => fresh.status.relay === 'online', 'the relay', 20_000)
    await until(() => fresh.getState().written !== undefined)
    const there = fresh.getState().written as object
    expect(relayed.filter((key) => !(key in there))).toEqual([])
    console.info(`${rounds} kills of the relay, ${redisKills} of Redis: ${relayed.length} relayed, none missing`)
    await fresh.close()
    await killed(relay)
    await redis.close()
  })

  test('when a replica takes over that lacks 100 acknowledged appends: the devices offer them again', { timeout: 120_000 }, async () => {
    const primary = await startRedis()
    const replica = await startRedis({ replicaOf: primary })
    const proxy = await startProxy(primary.port)
    const relay = await relayOn({ url: `redis://127.0.0.1:${proxy.port}` })
    const stores = [await open(createMesh(), relay.url), await open(createMesh(), relay.url)]
    for (const store of stores) await until(() => store.status.relay === 'online')
    for (let i = 0; i < 20; i++) await stores[i % 2]!.set(['before', `k${i}`], i).relayed
    const log = 'tabmesh:{default:room}:log'
    for (let left = 200; (await replica.command('XLEN', log)) !== (await primary.command('XLEN', log)); left--) {
      if (left === 0) throw new Error('the replica does not follow')
      await pause(20)
    }
    await replica.command('REPLICAOF', 'NO', 'ONE')
    for (let i = 0; i < 100; i++) await stores[i % 2]!.set(['lost', `k${i}`], i).relayed
    await stores[0]!.increment(['count'], 3).relayed
    expect(Number(await primary.command('XLEN', log)) - Number(await replica.command('XLEN', log))).toBeGreaterThanOrEqual(100)
    proxy.to(replica.port)
    await primary.kill()
    proxy.cut()
    let offered = false
    void stores[1]!.increment(['count'], 4).relayed.then(() => (offered = true))
    await until(() => offered && stores.every((store) => store.getState().count === 7), 'what the devices offer when the room begins anew', 15_000)
    await stores[0]!.set(['done'], true).relayed
    expect(relay.stats().resets).toBeGreaterThan(0)
    await Promise.all(stores.map((store) => store.close()))
    await relay.close(0)
    const later = await relayOn(replica)
    const fresh = await open(createMesh(), later.url)
    await until(() => fresh.getState().done === true)
    expect(Object.keys(fresh.getState().lost as object)).toHaveLength(100)
    expect(fresh.getState().count).toBe(7)
    await fresh.close()
    await later.close(0)
    await proxy.close()
    await replica.close()
    await primary.close()
  })
})

describe('a connection', () => {
  test('that swallows everything is found out, and another is made', { timeout: 120_000 }, async () => {
    const redis = await startRedis()
    const relay = await relayOn(redis)
    const proxy = await startProxy(relay.port)
    const near = await open(createMesh(), `ws://127.0.0.1:${proxy.port}`)
    const far = await open(createMesh(), relay.url)
    for (const store of [near, far]) await until(() => store.status.relay === 'online')
    proxy.swallow(true)
    await far.set(['x'], 1).relayed
    near.set(['y'], 1)
    await until(() => near.status.relay === 'offline', 'the loss', 60_000)
    expect('x' in near.getState()).toBe(false)
    proxy.cut()
    proxy.swallow(false)
    await until(() => near.getState().x === 1 && far.getState().y === 1, 'what was missed', 60_000)
    proxy.delay(300)
    await near.set(['z'], 1).relayed
    proxy.cut()
    near.set(['w'], 1)
    await until(() => far.getState().w === 1, 'what was written while it was cut', 60_000)
    expect(await digestOf(near)).toBe(await digestOf(far))
    await Promise.all([near, far].map((store) => store.close()))
    await proxy.close()
    await relay.close(0)
    await redis.close()
  })

  test(`of each of ${devices} devices comes back when the relay has gone, spread over time`, { timeout: 300_000 }, async () => {
    const redis = await startRedis()
    const first = await relayOn(redis)
    const proxy = await startProxy(first.port)
    const all = await Promise.all(Array.from({ length: devices }, () => open(createMesh(), `ws://127.0.0.1:${proxy.port}`, { persist: false })))
    for (const store of all) await until(() => store.status.relay === 'online', 'the relay', 30_000)
    const before = proxy.connectedAt.length
    const second = await relayOn(redis)
    proxy.to(second.port)
    const started = Date.now()
    proxy.cut() // as a relay that is killed
    await first.close(0)
    for (const store of all) await until(() => store.status.relay === 'online', 'the relay again', 90_000)
    const backMs = Date.now() - started
    const came = proxy.connectedAt.slice(before).sort((a, b) => a - b)
    const most = Math.max(...came.map((at) => came.filter((other) => other >= at && other < at + 1000).length))
    console.info(`${devices} devices: at most ${most} connected in a second, all were back after ${(backMs / 1000).toFixed(1)} s`)
    expect(most).toBeLessThanOrEqual(Math.max(devices / 5, 24))
    expect(backMs).toBeLessThan(90_000)
    await Promise.all(all.map((store) => store.close()))
    await proxy.close()
    await second.close(0)
    await redis.close()
  })
})
