// Who may come in, and what becomes of those who send what they should not: refused, counted, and nobody else notices.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createCore, loadModule, type Core } from '../../../js-glue/core.ts'
import type { Relay, RelayOptions } from '../../../js-glue/relay.ts'
import type { Store, StoreOptions } from '../../../js-glue/index.ts'
import { createAssembler, encodeMessage, type FromDevice, type FromRelay, type Message } from '../../../js-glue/relay/protocol.ts'
import { createMesh, until, wasm, type AnyState } from '../mesh.ts'
import { random } from '../random.ts'
import { relayOn, startRedis, type Redis } from './servers.ts'

let redis: Redis
let relay: Relay
/** Two that are well, throughout. */
let well: Store<AnyState>[]
const expiresAt = new Map<string, number>()
const authenticate: RelayOptions['authenticate'] = (token) => {
  if (token === 'reader') return { user: 'reader', rooms: ['room'], write: false }
  if (token.startsWith('user')) return { user: 'user', rooms: ['room'], ...(expiresAt.has(token) ? { expiresAt: expiresAt.get(token)! } : {}) }
  if (token === 'slow') return new Promise((resolve) => setTimeout(() => resolve({ user: 'user', rooms: ['room'] }), 500))
  if (token === 'broken') throw new Error('the user database is away')
  return undefined
}

const open = async (token: () => string, options: Partial<StoreOptions<AnyState>> = {}): Promise<Store<AnyState>> => {
  const { store } = await createMesh().ready({ relay: { url: relay.url, token, room: 'room' }, ...options })
  return store
}

beforeAll(async () => {
  redis = await startRedis()
  relay = await relayOn(redis, { authenticate, origins: ['https://app.example'], limits: { messageBytes: 4 << 20, framesPerSecond: 500 } })
  well = await Promise.all([open(() => 'user'), open(() => 'user')])
  for (const store of well) await until(() => store.status.relay === 'online')
})
afterAll(async () => {
  await Promise.all(well.map((store) => store.close()))
  await relay.close(0)
  await redis.close()
})

let n = 0
beforeEach(async () => {
  await well[0]!.set(['n'], ++n).relayed
  await until(() => well[1]!.getState().n === n)
})

interface Raw {
  readonly heard: Message<FromRelay>[]
  send(header: FromDevice, parts?: readonly Uint8Array[]): void
  sendBytes(bytes: Uint8Array | string): void
  readonly closed: Promise<number>
  close(): void
}

async function connect(origin?: string, url = relay.url): Promise<Raw> {
  const socket = new WebSocket(url, origin === undefined ? {} : { origin })
  const assembler = createAssembler<FromRelay>(() => 64 << 20)
  const heard: Message<FromRelay>[] = []
  socket.on('message', (data: Buffer) => {
    const message = assembler.add(data)
    if (typeof message === 'object') heard.push(message)
  })
  socket.on('error', () => undefined)
  const closed = new Promise<number>((resolve) => socket.on('close', (code) => resolve(code)))
  await Promise.race([new Promise((resolve) => socket.on('open', resolve)), closed])
  return {
    heard,
    send(header, parts) {
      for (const frame of encodeMessage(header, parts)) socket.send(frame)
    },
    sendBytes: (bytes) => socket.send(bytes),
    closed,
    close: () => socket.close(),
  }
}

const greeting = new Uint8Array(60)
const join = (change: object = {}): FromDevice => ({ type: 'join', protocol: 1, room: 'room', mesh: 'test~room', device: 'raw', label: 'raw', term: 1, token: 'user', ...change })
const refusal = ({ heard }: Raw): unknown => heard.map(({ header }) => header).find(({ type }) => type === 'refused')

describe('a connection is refused', () => {
  test.each([
    ['a token that is not accepted', { token: 'mallory' }, 'unauthorized', 4001],
    ['no token', { token: '' }, 'unauthorized', 4001],
    ['a token that cannot be looked up', { token: 'broken' }, 'unauthorized', 4001],
    ['a forged room', { room: 'other' }, 'forbidden', 4003],
    ['a room that is no name', { room: 'a/b' }, 'bad-message', 4002],
    ['another protocol', { protocol: 2 }, 'bad-message', 4002],
    ['a term that is none', { term: -2 }, 'bad-message', 4002],
    ['a greeting that is none', {}, 'other-store', 4005],
    ['another store', { mesh: 'chat~room' }, 'other-store', 4005],
  ])('for %s', async (_, change, code, closeCode) => {
    const raw = await connect()
    raw.send(join(change), [greeting])
    expect(await raw.closed).toBe(closeCode)
    expect(refusal(raw)).toMatchObject({ code })
  })

  test('from another origin, before it is one', async () => {
    const raw = await connect('https://evil.example')
    expect(await raw.closed).toBe(1006)
    const good = await connect('https://app.example')
    good.send({ type: 'ping' })
    await until(() => good.heard.length > 0)
    good.close()
  })

  test('for a term below the device’s newest, here and at another relay; the one before is ended', async () => {
    const other = await relayOn(redis, { authenticate })
    const raw = [await connect(), await connect()]
    const real = await realGreeting()
    raw[0]!.send(join({ device: 'laptop', term: 7 }), [real])
    await until(() => raw[0]!.heard.some(({ header }) => header.type === 'welcome'))
    raw[1]!.send(join({ device: 'laptop', term: 6 }), [real])
    expect(await raw[1]!.closed).toBe(4006)
    const later = await connect()
    later.send(join({ device: 'laptop', term: 8 }), [real])
    expect(await raw[0]!.closed).toBe(4006)
    const far = await connect(undefined, other.url)
    far.send(join({ device: 'laptop', term: 7 }), [real])
    await until(() => far.heard.some(({ header }) => header.type === 'welcome'))
    // What it appends has term 8: from there on no relay takes term 7 of it.
    later.send({ type: 'append', number: 1 }, [await realFrame('laptop')])
    await until(() => later.heard.some(({ header }) => header.type === 'stored'))
    far.send({ type: 'append', number: 1 }, [await realFrame('late')])
    expect(await far.closed).toBe(4006)
    expect(other.stats().appends).toBe(0)
    const late = await connect(undefined, other.url)
    late.send(join({ device: 'laptop', term: 7 }), [real])
    expect(await late.closed).toBe(4006)
    expect(late.heard.some(({ header }) => header.type === 'welcome')).toBe(false)
    later.close()
    await other.close(0)
  })
})

/** Of a store of that name and room, as it is sent. */
async function realCore(): Promise<Core> {
  const core = createCore(await loadModule(wasm), { name: 'test~room', instance: crypto.getRandomValues(new Uint8Array(16)), label: '', connectedAt: 0, visible: false, mayLead: false, defaultStrategy: 'merge', strategies: {}, lists: {} })
  core.open({}, Date.now())
  core.replica.restored(true, Date.now())
  return core
}

const realGreeting = async (): Promise<Uint8Array> => (await realCore()).greeting()

async function realFrame(key: string): Promise<Uint8Array> {
  const core = await realCore()
  core.localSet([[[key], 1]], Date.now())
  return core.takeRecords()[0]!
}

test('a courier may come while no tab of its device is connected, and is ended when one comes', async () => {
  const real = await realGreeting()
  const stranger = await connect()
  stranger.send(join({ device: 'phone', term: -1 }), [real])
  expect(await stranger.closed).toBe(4006) // no tab was ever there
  const first = await connect()
  first.send(join({ device: 'phone', term: 2 }), [real])
  first.send({ type: 'append', number: 1 }, [await realFrame('first')])
  await until(() => first.heard.some(({ header }) => header.type === 'stored'))
  first.close()
  await first.closed
  await until(() => !well[0]!.tabs.some(({ label }) => label === 'raw'))
  const courier = await connect()
  courier.send(join({ device: 'phone', term: -1 }), [real])
  await until(() => courier.heard.some(({ header }) => header.type === 'welcome'))
  courier.send({ type: 'append', number: 1 }, [await realFrame('brought')])
  await until(() => courier.heard.some(({ header }) => header.type === 'stored') && well[0]!.getState().brought === 1)
  const tab = await connect()
  tab.send(join({ device: 'phone', term: 3 }), [real])
  expect(await courier.closed).toBe(4006)
  tab.send({ type: 'append', number: 1 }, [await realFrame('by a tab')])
  await until(() => tab.heard.some(({ header }) => header.type === 'stored'))
  const late = await connect()
  late.send(join({ device: 'phone', term: -1 }), [real])
  expect(await late.closed).toBe(4006)
  tab.close()
  await tab.closed
  const again = await connect()
  await until(() => !well[0]!.tabs.some(({ label }) => label === 'raw')) // the relay knows that the tab is gone
  again.send(join({ device: 'phone', term: -1 }), [real])
  await until(() => again.heard.some(({ header }) => header.type === 'welcome'))
  again.send({ type: 'append', number: 1 }, [await realFrame('brought later')])
  await until(() => well[0]!.getState()['brought later'] === 1)
  again.close()
})

describe('what is sent is refused, and counted, and others do not notice', () => {
  test('a frame of 5 MB, a message of more than the limit', async () => {
    const raw = await connect()
    raw.sendBytes(new Uint8Array(5 << 20))
    expect(await raw.closed).toBe(1009)
    const other = await connect()
    other.send(join(), [new Uint8Array(5 << 20)]) // in pieces
    expect(await other.closed).toBe(1009)
    expect(refusal(other)).toMatchObject({ code: 'too-large' })
  })

  test('10,000 random frames, of some 1,000 connections', async () => {
    const next = random(7)
    const before = relay.stats()
    let left = 10_000
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        while (left > 0) {
          const raw = await connect()
          for (let i = 0; i < 10 && left > 0; i++, left--) {
            const bytes = Uint8Array.from({ length: 1 + Math.floor(next() * 200) }, () => Math.floor(next() * 256))
            bytes[0] = 1 // else they are pieces of a longer message
            raw.sendBytes(bytes)
          }
          raw.close()
          await raw.closed
        }
      }),
    )
    const after = relay.stats()
    expect(after.bad_messages! - before.bad_messages!).toBe(10_000)
    expect(after.appends).toBe(before.appends)
  })

  test('frames that are whole messages, but no writes', async () => {
    const raw = await connect()
    raw.send(join({ device: 'bad' }), [await realGreeting()])
    await until(() => raw.heard.some(({ header }) => header.type === 'welcome'))
    const frame = await realFrame('bad')
    const before = relay.stats().bad_frames!
    for (let at = 0; at < frame.byteLength; at++) {
      const damaged = frame.slice()
      damaged[at]! ^= 0x41
      raw.send({ type: 'append', number: at + 1 }, [damaged])
    }
    await until(() => relay.stats().bad_frames! - before === frame.byteLength)
    expect('bad' in well[0]!.getState()).toBe(false)
    raw.send({ type: 'append', number: 10_000 }, [frame, frame])
    await until(() => well[0]!.getState().bad === 1)
    raw.close()
  })

  test('a message of nothing but empty parts, and a second one while the first is looked at', async () => {
    const raw = await connect()
    const zeros = new Uint8Array(200 << 10)
    zeros[0] = 1
    for (let i = 0; i < 10; i++) raw.sendBytes(zeros)
    expect(await raw.closed).toBe(4002)
    const large = await connect()
    large.send(join(), [new Uint8Array(2 << 20)]) // before anything is known of it
    expect(await large.closed).toBe(1009)
    const hasty = await connect()
    const greeting = await realGreeting()
    hasty.send(join({ token: 'slow' }), [greeting])
    for (let i = 0; i < 30; i++) hasty.send({ type: 'greet' }, [greeting])
    expect(await hasty.closed).toBe(4009)
    expect(hasty.heard.some(({ header }) => header.type === 'welcome')).toBe(false)
  })

  test('more frames in an append than one may have, and the same one thousands of times', async () => {
    const raw = await connect()
    raw.send(join({ device: 'many' }), [await realGreeting()])
    await until(() => raw.heard.some(({ header }) => header.type === 'welcome'))
    const frame = await realFrame('many')
    const before = relay.stats()
    raw.send({ type: 'append', number: 1 }, Array.from({ length: 3000 }, () => frame))
    await until(() => raw.heard.some(({ header }) => header.type === 'stored'))
    expect([relay.stats().appends! - before.appends!, relay.stats().duplicates! - before.duplicates!]).toEqual([1, 2999])
    raw.send({ type: 'append', number: 2 }, Array.from({ length: 60_000 }, () => frame))
    await until(() => relay.stats().bad_messages! > before.bad_messages!)
    await well[0]!.set(['n'], ++n).relayed
    raw.close()
  })

  test('the term of another user’s device', async () => {
    const raw = await connect()
    const { device } = well[1]!.tabs.find((tab) => tab.device !== undefined)!
    raw.send(join({ token: 'reader', device: device!, term: Number.MAX_SAFE_INTEGER }), [await realGreeting()])
    await until(() => raw.heard.some(({ header }) => header.type === 'welcome'))
    await well[0]!.set(['n'], ++n).relayed
    expect(well[0]!.status.relay).toBe('online')
    raw.close()
  })

  test('too many frames a second', async () => {
    const raw = await connect()
    for (let i = 0; i < 3000; i++) raw.send({ type: 'ping' })
    expect(await raw.closed).toBe(4009)
    expect(refusal(raw)).toMatchObject({ code: 'too-fast' })
  })

  test('writes of one who may only read', async () => {
    const reader = await open(() => 'reader')
    const refused = new Promise<Error>((resolve) => reader.on('error', ({ error }) => resolve(error)))
    await until(() => reader.getState().n === n)
    await well[0]!.set(['n'], ++n).relayed
    await until(() => reader.getState().n === n, 'what is written later')
    const before = relay.stats().appends!
    reader.set(['n'], 'forged')
    expect((await refused).message).toContain('may only read')
    expect(reader.status.relay).toBe('online')
    await reader.close()
    const raw = await connect()
    raw.send(join({ token: 'reader' }), [await realGreeting()])
    raw.send({ type: 'append', number: 1 }, [await realFrame('forged')])
    expect(await raw.closed).toBe(4003)
    expect(relay.stats().appends).toBe(before)
  })
})

describe('a token', () => {
  test('that is about to expire is asked for anew, on the same connection; one that has expired ends it', async () => {
    let asked = 0
    const store = await open(() => {
      const token = `user-${++asked}`
      expiresAt.set(token, Date.now() + (asked === 1 ? 1500 : asked === 2 ? 60_000 : 0))
      return token
    })
    await until(() => store.status.relay === 'online')
    const before = relay.stats().connections_opened!
    await until(() => asked === 2, 'the second token', 5000)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(store.status.relay).toBe('online')
    expect(relay.stats().connections_opened).toBe(before)
    await store.close()
    expiresAt.set('user-late', Date.now() + 400)
    const raw = await connect()
    raw.send(join({ device: 'late', token: 'user-late' }), [await realGreeting()])
    await until(() => raw.heard.some(({ header }) => header.type === 'renew'))
    expect(await raw.closed).toBe(4001)
  })
})
