// Rooms as relays keep them: whose they are, how large their logs get, when they go; and what a client makes of a refusal.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { RelayEvent } from '../../../js-glue/relay.ts'
import type { Store, StoreOptions } from '../../../js-glue/index.ts'
import { createAssembler, encodeMessage, type FromDevice, type FromRelay } from '../../../js-glue/relay/protocol.ts'
import { createMesh, until, type AnyState } from '../mesh.ts'
import { startProxy } from './proxy.ts'
import { freePort, relayOn, startRedis, type Redis } from './servers.ts'

let redis: Redis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.close())

const open = async (url: string, room: string, options: Partial<StoreOptions<AnyState>> = {}): Promise<Store<AnyState>> => (await createMesh().ready({ relay: { url, token: () => 'ada', room }, ...options })).store
const online = (store: Store<AnyState>): Promise<void> => until(() => store.status.relay === 'online', 'the relay', 20_000)
const close = async (...stores: Store<AnyState>[]): Promise<void> => {
  for (const store of stores) await store.close()
}

describe('a room', () => {
  test('is one store’s: another one is told so, and changes nothing of it, whoever comes first', async () => {
    const first = await relayOn(redis)
    const board = await open(first.url, 'owned')
    for (let i = 0; i < 20; i++) await board.set(['kept', `k${i}`], i).relayed
    await close(board)
    await first.close(0)
    const second = await relayOn(redis)
    const chat = await open(second.url, 'owned', { name: 'chat' })
    const refused = new Promise<Error>((resolve) => chat.on('error', ({ error }) => resolve(error)))
    const statuses = new Set<string>()
    chat.on('status', ({ relay }) => statuses.add(relay))
    for (let i = 0; i < 1100; i++) await chat.set(['other', `k${i % 9}`], i).applied
    expect((await refused).message).toContain('other-store')
    expect(statuses).not.toContain('online') // it is told when it comes, not when it writes
    const again = await open(second.url, 'owned')
    await online(again)
    await until(() => Object.keys((again.getState().kept ?? {}) as object).length === 20)
    await close(chat, again)
    await second.close(0)
  })

  test('whose log is large in bytes is compacted', async () => {
    const relay = await relayOn(redis)
    const store = await open(relay.url, 'large')
    await online(store)
    const text = 'x'.repeat(200_000)
    for (let i = 0; i < 60; i++) await store.set(['text'], `${i}${text}`).relayed
    await until(() => relay.stats().checkpoints! > 0)
    await until(() => relay.stats().checkpoints! > 1)
    expect(Number(await redis.command('XLEN', 'tabmesh:{default:large}:log'))).toBeLessThan(60)
    await close(store)
    await relay.close(0)
  })

  test('is kept while a device is in it at another relay, and goes when nobody is', async () => {
    const [here, there] = [await relayOn(redis, { retentionMs: 700 }), await relayOn(redis, { retentionMs: 700 })]
    const [one, two] = [await open(here.url, 'kept'), await open(there.url, 'kept')]
    await Promise.all([online(one), online(two)])
    await one.set(['x'], 1).relayed
    await close(one)
    await here.close(0)
    expect(await redis.command('PTTL', 'tabmesh:{default:kept}:log')).toBe(-1)
    await close(two)
    await there.close(0)
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect(await redis.command('EXISTS', 'tabmesh:{default:kept}:log')).toBe(0)
  })

  test('that Redis does not answer for can’t be entered, and can when it does; the relay lives on', { timeout: 60_000 }, async () => {
    const own = await startRedis({ appendOnly: true })
    const relay = await relayOn(own)
    await own.kill()
    const store = await open(relay.url, 'away')
    await until(() => relay.stats().refusals! > 0)
    await own.start()
    await online(store)
    await store.set(['x'], 1).relayed
    await close(store)
    await relay.close(0)
    await own.close()
  })

  test('of a state larger than the backlog arrives over a slow line', { timeout: 90_000 }, async () => {
    const relay = await relayOn(redis, { limits: { backlogBytes: 300_000 } })
    const store = await open(relay.url, 'slow')
    await online(store)
    for (let i = 0; i < 80; i++) await store.set(['text', `k${i}`], randomBytes(100_000).toString('hex')).relayed // more than the system's own buffers take
    const proxy = await startProxy(relay.port)
    proxy.slow(8_000_000)
    const late = await open(`ws://127.0.0.1:${proxy.port}`, 'slow')
    await until(() => Object.keys((late.getState().text ?? {}) as object).length === 80, 'the state', 30_000)
    expect(relay.stats().slow_consumers).toBe(0)
    await close(store, late)
    await proxy.close()
    await relay.close(0)
  })

  test('hears of large writes while they go on', async () => {
    const relay = await relayOn(redis)
    const mesh = createMesh()
    const store = (await mesh.ready({ relay: { url: relay.url, token: () => 'ada', room: 'stream' } })).store
    const other = (await mesh.ready({ relay: { url: relay.url, token: () => 'ada', room: 'stream' } })).store
    await online(store)
    let relayed = 0
    for (let i = 0; i < 40; i++) {
      void other.set(['text'], `${i}${'y'.repeat(90_000)}`).relayed.then(() => relayed++, () => undefined) // prettier-ignore -- in pieces to the leader
      await new Promise((resolve) => setTimeout(resolve, 40))
    }
    expect(relayed).toBeGreaterThan(5)
    await close(store, other)
    await relay.close(0)
  })
})

describe('a relay', () => {
  test('says whether it is well, and what it has counted', async () => {
    const own = await startRedis()
    const events: RelayEvent[] = []
    const relay = await relayOn(own, { log: (event) => events.push(event) })
    const at = `http://127.0.0.1:${relay.port}`
    const store = await open(relay.url, 'counted')
    await store.set(['x'], 1).relayed
    const healthy = await fetch(`${at}/healthz`)
    expect([healthy.status, await healthy.json()]).toEqual([200, { healthy: true, redis: true, closing: false }])
    const metrics = await (await fetch(`${at}/metrics`)).text()
    expect(metrics).toMatch(/^tabmesh_relay_appends_total 1$/m)
    expect(metrics).toMatch(/^tabmesh_relay_connections 1$/m)
    expect((await fetch(`${at}/anything`)).status).toBe(404)
    await own.kill()
    for (let left = 100; (await fetch(`${at}/healthz`)).status !== 503; left--) {
      if (left === 0) throw new Error('it says that it is well')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(events.map(({ event }) => event)).toEqual(expect.arrayContaining(['redis-ready', 'listening', 'room-opened', 'failed']))
    expect(JSON.stringify(events)).not.toContain('ada')
    await close(store)
    await relay.close(0)
    await own.close()
  })

  test('that ends tells its devices when to come again, and they go to another one', async () => {
    const port = await freePort()
    const relay = await relayOn(redis, { port })
    const store = await open(relay.url, 'ends')
    await online(store)
    const socket = new WebSocket(relay.url)
    const assembler = createAssembler<FromRelay>(() => 1 << 24)
    const heard: FromRelay[] = []
    socket.on('message', (data: Buffer) => {
      const message = assembler.add(data)
      if (typeof message === 'object') heard.push(message.header)
    })
    const code = new Promise<number>((resolve) => socket.on('close', resolve))
    await new Promise((resolve) => socket.once('open', resolve))
    const write = store.set(['last'], 1)
    await relay.close(1500)
    expect(await code).toBe(1012)
    const [refused] = heard as [Extract<FromRelay, { type: 'refused' }>]
    expect(refused).toMatchObject({ type: 'refused', code: 'restarting' })
    expect(refused.retryAfterMs).toBeLessThanOrEqual(1500)
    const next = await relayOn(redis, { port })
    await write.relayed
    await close(store)
    await next.close(0)
  })

  test('whose devices are gone with it leaves nobody behind in the list', async () => {
    const relay = await relayOn(redis)
    const store = await open(relay.url, 'ghosts')
    await online(store)
    const ghost = { connection: 'g', device: 'g', label: 'ghost', user: 'g', write: true, connectedAt: 1 }
    await redis.command('HSET', 'tabmesh:{default:ghosts}:connections', 'g', JSON.stringify({ ...ghost, until: Date.now() + 60_000 }))
    await redis.command('PUBLISH', 'tabmesh:{default:ghosts}:bell', 'devices')
    await until(() => store.tabs.some(({ label }) => label === 'ghost'))
    await redis.command('HSET', 'tabmesh:{default:ghosts}:connections', 'g', JSON.stringify({ ...ghost, until: Date.now() - 1 }))
    await until(() => store.tabs.length === 1, 'the look of every 20 s', 30_000)
    expect(await redis.command('HEXISTS', 'tabmesh:{default:ghosts}:connections', 'g')).toBe(0)
    await close(store)
    await relay.close(0)
  })
})

describe('a relay that cannot start says so', () => {
  test('where the port is taken', async () => {
    const port = await freePort()
    const first = await relayOn(redis, { port })
    await expect(relayOn(redis, { port })).rejects.toThrow('EADDRINUSE')
    await first.close(0)
  })
  test('where there is no Redis', { timeout: 30_000 }, async () => {
    await expect(relayOn({ url: `redis://127.0.0.1:${await freePort()}` })).rejects.toThrow(/Redis has not answered|ECONNREFUSED/)
  })
})

test('what was refused is not called relayed because later writes are', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  let appends = 0
  server.on('connection', (socket) => {
    const assembler = createAssembler<FromDevice>(() => 1 << 24)
    const send = (header: FromRelay, parts: readonly Uint8Array[] = []): void => encodeMessage(header, parts).forEach((frame) => socket.send(frame))
    socket.on('message', (data: Buffer) => {
      const message = assembler.add(data)
      if (typeof message !== 'object') return
      const { header, parts } = message
      if (header.type === 'join') send({ type: 'welcome', connection: 'c', user: 'ada', write: true }, [parts[0]!])
      if (header.type !== 'append') return
      if (parts.length === 0) return send({ type: 'stored', number: header.number, version: 0 })
      if (++appends === 1) return send({ type: 'refused', code: 'bad-frame', message: 'no', number: header.number })
      send({ type: 'stored', number: header.number, version: 1 })
    })
  })
  await new Promise((resolve) => server.once('listening', resolve))
  const store = await open(`ws://127.0.0.1:${(server.address() as { port: number }).port}`, 'scripted')
  store.on('error', () => undefined)
  await online(store)
  await new Promise((resolve) => setTimeout(resolve, 300))
  let relayed = false
  void store.set(['a'], 1).relayed.then(() => (relayed = true), () => undefined) // prettier-ignore
  await until(() => appends === 1)
  store.set(['b'], 1)
  await until(() => appends === 2)
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(relayed).toBe(false)
  await close(store)
  server.close()
})

test('a device comes back not before it is told to', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  const came: number[] = []
  server.on('connection', (socket) => {
    came.push(Date.now())
    socket.on('message', () => {
      for (const frame of encodeMessage({ type: 'refused', code: 'restarting', message: 'later', retryAfterMs: 13_000 })) socket.send(frame)
      socket.close(1012)
    })
  })
  await new Promise((resolve) => server.once('listening', resolve))
  const store = await open(`ws://127.0.0.1:${(server.address() as { port: number }).port}`, 'scripted')
  await until(() => came.length === 2, 'the second connection', 30_000) // by chance alone it would come within 12 s
  expect(came[1]! - came[0]!).toBeGreaterThan(12_900)
  await close(store)
  server.close()
})
