// Small questions to a browser, each about one thing that the glue, or the simulator, rests on. None uses tabmesh. The answers are
// kept in tests/golden/probes.json and shown in docs/BROWSERS.md.
import type { BrowserTab } from '../browsers/browser.ts'

/** What probe.js has made. */
interface Kit {
  readonly log: unknown[]
  readonly pause: (ms?: number) => Promise<void>
  readonly attempt: <T>(call: () => T | Promise<T>) => Promise<T | string>
  readonly open: (name: string) => Promise<IDBDatabase>
  readonly asked: <T>(request: IDBRequest<T>) => Promise<T>
  readonly done: (transaction: IDBTransaction) => Promise<'complete'>
  readonly all: (name: string) => Promise<unknown[]>
  readonly frame: (attributes?: object) => Promise<HTMLIFrameElement>
}
declare const kit: Kit

export interface Probing {
  /** A page of the one origin. */
  readonly open: () => Promise<BrowserTab>
  /** Leaves the page for another one, after `prepare` in the same task; does not come back. */
  readonly leave: (page: BrowserTab, prepare?: (name: string) => unknown, name?: string) => Promise<void>
  /** Goes back; whether the very same page is there again. */
  readonly back: (page: BrowserTab) => Promise<boolean>
  /** A name that no other probe uses. */
  readonly name: string
}

export interface Probe {
  readonly about: 'BroadcastChannel' | 'storage events' | 'IndexedDB' | 'Web Locks' | 'life of a page' | 'workers and frames'
  readonly question: string
  /** What follows from it, in a few words. */
  readonly use: string
  /** The same browser answers now this, now that: what is written down is one answer. */
  readonly varies?: true
  readonly run: (probing: Probing) => Promise<unknown>
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const yes = (is: unknown): string => (is ? 'yes' : 'no')

/** Whether a page is cached that has done something before it is left. */
const cachedAfter = (prepare: (name: string) => unknown) => async ({ open, leave, back, name }: Probing): Promise<string> => {
  const page = await open()
  await page.evaluate(prepare, name)
  await leave(page)
  return yes(await back(page))
}

/** What another page finds in the database after one has left with `prepare` in the same task. */
const storedAfter = (prepare: (name: string) => unknown) => async ({ open, leave, name }: Probing): Promise<string> => {
  const page = await open()
  await page.evaluate(async (of) => {
    ;(window as { database?: IDBDatabase }).database = await kit.open(of)
  }, name)
  await leave(page, prepare, name)
  const other = await open()
  const found = await other.evaluate((of) => Promise.race([kit.all(of).then((all) => all.length), kit.pause(5000)]), name)
  return found === undefined ? 'no, and all others wait for the page' : yes(found === 1)
}

export const probes: readonly Probe[] = [
  {
    about: 'BroadcastChannel',
    question: 'do 1,000 messages of one sender arrive in their order?',
    use: 'the core takes writes of one tab in their order, and asks for what is missing',
    async run({ open, name }) {
      const [from, to] = [await open(), await open()]
      await to.evaluate((of) => void (new BroadcastChannel(of).onmessage = ({ data }) => kit.log.push(data)), name)
      await from.evaluate((of) => {
        const channel = new BroadcastChannel(of)
        for (let i = 0; i < 1000; i++) channel.postMessage(i)
      }, name)
      await pause(1000)
      return yes(await to.evaluate(() => kit.log.length === 1000 && kit.log.every((value, i) => value === i)))
    },
  },
  {
    about: 'BroadcastChannel',
    question: 'who gets a message within the sending page?',
    use: 'a channel never echoes; two stores of one page would hear each other',
    async run({ open, name }) {
      const page = await open()
      return page.evaluate(async (of) => {
        const [sender, other] = [new BroadcastChannel(of), new BroadcastChannel(of)]
        const got: string[] = []
        sender.onmessage = () => got.push('the sender')
        other.onmessage = () => got.push('other objects')
        sender.postMessage(1)
        await kit.pause()
        return got.join(', ')
      }, name)
    },
  },
  {
    about: 'BroadcastChannel',
    question: 'does a message arrive whose sender closes its channel in the same task?',
    use: 'the last frame of a store that is closed',
    async run({ open, name }) {
      const [from, to] = [await open(), await open()]
      await to.evaluate((of) => void (new BroadcastChannel(of).onmessage = ({ data }) => kit.log.push(data)), name)
      await from.evaluate((of) => {
        const channel = new BroadcastChannel(of)
        channel.postMessage(1)
        channel.close()
      }, name)
      await pause(500)
      return yes(await to.evaluate(() => kit.log.length))
    },
  },
  {
    about: 'BroadcastChannel',
    question: 'does a page hear what was sent before it made its channel?',
    use: 'a joiner asks, it does not wait',
    async run({ open, name }) {
      const [from, to] = [await open(), await open()]
      await from.evaluate((of) => new BroadcastChannel(of).postMessage(1), name)
      await to.evaluate((of) => void (new BroadcastChannel(of).onmessage = ({ data }) => kit.log.push(data)), name)
      await pause(500)
      return yes(await to.evaluate(() => kit.log.length))
    },
  },
  {
    about: 'BroadcastChannel',
    question: 'does a message arrive that is sent in pagehide, by a page that is left for another?',
    use: 'the presence with which a tab says that it goes',
    async run({ open, leave, name }) {
      const [from, to] = [await open(), await open()]
      await to.evaluate((of) => void (new BroadcastChannel(of).onmessage = ({ data }) => kit.log.push(data)), name)
      await from.evaluate((of) => {
        const channel = new BroadcastChannel(of)
        addEventListener('pagehide', () => channel.postMessage('left'))
      }, name)
      await leave(from)
      await pause(500)
      return yes(await to.evaluate(() => kit.log.length))
    },
  },
  {
    about: 'BroadcastChannel',
    question: 'what becomes of messages to a page in the back/forward cache?',
    use: 'who comes back reads the journal and asks everybody',
    async run({ open, leave, back, name }) {
      const [cached, sender] = [await open(), await open()]
      await cached.evaluate((of) => void (new BroadcastChannel(of).onmessage = ({ data }) => kit.log.push(data)), name)
      await leave(cached)
      await sender.evaluate((of) => {
        const channel = new BroadcastChannel(of)
        for (let i = 0; i < 10; i++) channel.postMessage(i)
      }, name)
      await pause(500)
      if (!(await back(cached))) return 'the page is not kept'
      await pause(500)
      const got = await cached.evaluate(() => kit.log.length)
      return got === 0 ? 'lost' : got === 10 ? 'delivered on return' : `${got} of 10 delivered`
    },
  },
  {
    about: 'BroadcastChannel',
    question: 'do lone surrogates come through in a string?',
    use: 'frames are bytes, texts within them WTF-8',
    async run({ open, name }) {
      const [from, to] = [await open(), await open()]
      await to.evaluate((of) => void (new BroadcastChannel(of).onmessage = ({ data }) => kit.log.push(data)), name)
      await from.evaluate((of) => new BroadcastChannel(of).postMessage('a\ud800b'), name)
      await pause(500)
      return yes(await to.evaluate(() => kit.log[0] === 'a\ud800b'))
    },
  },
  {
    about: 'BroadcastChannel',
    question: 'does a worker hear a page?',
    use: 'stores in workers are replicas like any other',
    async run({ open, name }) {
      const page = await open()
      return yes(
        await page.evaluate(async (of) => {
          const worker = new Worker(URL.createObjectURL(new Blob([`new BroadcastChannel(${JSON.stringify(of)}).onmessage = ({ data }) => postMessage(data); postMessage('ready')`])))
          const next = (): Promise<unknown> => new Promise((resolve) => (worker.onmessage = ({ data }) => resolve(data)))
          await next()
          const heard = next()
          // The worker's channel may be registered after a message of the page that was sent later: each has a pipe of its own to the browser.
          const channel = new BroadcastChannel(of)
          const again = setInterval(() => channel.postMessage('x'), 50)
          const answer = await Promise.race([heard, kit.pause(2000)])
          clearInterval(again)
          return answer
        }, name),
      )
    },
  },
  {
    about: 'storage events',
    question: 'who gets the event of a write within the writing page?',
    use: 'a frame in the same page hears it, the writing window does not',
    async run({ open, name }) {
      const page = await open()
      return page.evaluate(async (key) => {
        const frame = await kit.frame({ src: location.href })
        const got: string[] = []
        const listen = (target: Window, who: string): void => target.addEventListener('storage', (event) => event.key === key && got.push(who))
        listen(window, 'the writer')
        listen(frame.contentWindow!, 'its frame')
        localStorage.setItem(key, '1')
        await kit.pause()
        localStorage.removeItem(key)
        return got.length === 0 ? 'nobody' : [...new Set(got)].join(', ')
      }, name)
    },
  },
  {
    about: 'storage events',
    question: 'does a page hear of a write that has never touched localStorage?',
    use: 'the channel writes something before it listens',
    async run({ open, name }) {
      const [from, to] = [await open(), await open()]
      await to.evaluate((key) => addEventListener('storage', (event) => event.key === key && kit.log.push(event.newValue)), name)
      await from.evaluate((key) => localStorage.setItem(key, '1'), name)
      await pause(500)
      return yes(await to.evaluate(() => kit.log.length))
    },
  },
  {
    about: 'storage events',
    question: 'does writing the same value again make an event?',
    use: 'each frame has a number of its own in the text',
    async run({ open, name }) {
      const [from, to] = [await open(), await open()]
      await to.evaluate((key) => {
        localStorage.getItem(key)
        addEventListener('storage', (event) => event.key === key && kit.log.push(event.newValue))
      }, name)
      await from.evaluate(async (key) => {
        localStorage.setItem(key, '1')
        await kit.pause()
        localStorage.setItem(key, '1')
      }, name)
      await pause(500)
      const events = await to.evaluate(() => kit.log.length)
      return events === 1 ? 'no' : `${events} events`
    },
  },
  {
    about: 'storage events',
    question: 'do 200 writes of one task all arrive, in their order?',
    use: 'the channel of last resort may be as lossy as the other',
    async run({ open, name }) {
      const [from, to] = [await open(), await open()]
      await to.evaluate((key) => {
        localStorage.getItem(key)
        addEventListener('storage', (event) => event.key === key && event.newValue !== null && kit.log.push(Number(event.newValue)))
      }, name)
      await from.evaluate((key) => {
        for (let i = 0; i < 200; i++) localStorage.setItem(key, String(i))
        localStorage.removeItem(key)
      }, name)
      await pause(1500)
      return to.evaluate(() => {
        const sorted = kit.log.every((value, i) => i === 0 || (value as number) > (kit.log[i - 1] as number))
        return `${kit.log.length === 200 ? 'all' : 'some'}, ${sorted ? 'in order' : 'out of order'}`
      })
    },
  },
  {
    about: 'storage events',
    question: 'does localStorage keep lone surrogates, for another page?',
    use: 'what goes there is packed into valid UTF-16',
    async run({ open, name }) {
      const [from, to] = [await open(), await open()]
      await from.evaluate((key) => localStorage.setItem(key, 'a\ud800b'), name)
      await pause(300)
      const kept = await to.evaluate((key) => localStorage.getItem(key) === 'a\ud800b', name)
      await from.evaluate((key) => localStorage.removeItem(key), name)
      return yes(kept)
    },
  },
  {
    about: 'storage events',
    question: 'how many characters does localStorage take?',
    use: 'hot copies end at 128 K, last words at what is left',
    async run({ open, name }) {
      const page = await open()
      return page.evaluate((key) => {
        let size = 0
        for (let step = 1 << 24; step >= 1 << 16; step >>= 1) {
          try {
            localStorage.setItem(key, 'x'.repeat(size + step))
            size += step
          } catch {
            // Too many.
          }
        }
        localStorage.removeItem(key)
        return `about ${Math.round(size / 104858) / 10} Mi`
      }, name)
    },
  },
  {
    about: 'storage events',
    question: 'is a write of pagehide there for the next page?',
    use: 'last words',
    async run({ open, leave, name }) {
      const page = await open()
      await page.evaluate((key) => addEventListener('pagehide', () => localStorage.setItem(key, 'last')), name)
      await leave(page)
      const next = await open()
      return yes((await next.evaluate((key) => localStorage.getItem(key), name)) === 'last')
    },
  },
  {
    about: 'IndexedDB',
    question: 'does success come before complete?',
    use: 'only complete is durable',
    async run({ open, name }) {
      const page = await open()
      return page.evaluate(async (of) => {
        const database = await kit.open(of)
        const transaction = database.transaction('s', 'readwrite')
        const order: string[] = []
        transaction.objectStore('s').put(1).onsuccess = () => order.push('success')
        await kit.done(transaction)
        order.push('complete')
        return yesIn(order.join() === 'success,complete')
        function yesIn(is: boolean): string {
          return is ? 'yes' : order.join()
        }
      }, name)
    },
  },
  {
    about: 'IndexedDB',
    question: 'after a promise that is no request of it, can a transaction still be used?',
    use: 'nothing but its end is awaited in one',
    async run({ open, name }) {
      const page = await open()
      return page.evaluate(async (of) => {
        const database = await kit.open(of)
        const store = database.transaction('s', 'readwrite').objectStore('s')
        await kit.pause(50)
        return kit.attempt(() => (store.put(1), 'yes'))
      }, name)
    },
  },
  {
    about: 'IndexedDB',
    question: 'after the promise of a request of its own?',
    use: 'it can, and is not relied on',
    async run({ open, name }) {
      const page = await open()
      return page.evaluate(async (of) => {
        const database = await kit.open(of)
        const store = database.transaction('s', 'readwrite').objectStore('s')
        await kit.asked(store.put(1))
        return kit.attempt(() => (store.put(2), 'yes'))
      }, name)
    },
  },
  {
    about: 'IndexedDB',
    question: 'is a put of pagehide stored, without commit()?',
    use: 'commit() is always called',
    varies: true,
    run: storedAfter(() => addEventListener('pagehide', () => void (window as { database?: IDBDatabase }).database!.transaction('s', 'readwrite').objectStore('s').put(1))),
  },
  {
    about: 'IndexedDB',
    question: 'with commit()?',
    use: 'what a page stores as it goes',
    run: storedAfter(() =>
      addEventListener('pagehide', () => {
        const transaction = (window as { database?: IDBDatabase }).database!.transaction('s', 'readwrite')
        transaction.objectStore('s').put(1)
        transaction.commit()
      }),
    ),
  },
  {
    about: 'IndexedDB',
    question: 'is a put stored that follows the answer to a question, where the page has gone in between?',
    use: 'a page that goes asks nothing: what it stores is looked at afterwards',
    varies: true,
    run: storedAfter(() =>
      addEventListener('pagehide', () => {
        const store = (window as { database?: IDBDatabase }).database!.transaction('s', 'readwrite').objectStore('s')
        store.get(1).onsuccess = () => store.put(1)
      }),
    ),
  },
  {
    about: 'IndexedDB',
    question: 'does a second page see a write in the moment its writer is told complete?',
    use: 'the journal is the truth that a doorbell calls to',
    async run({ open, name }) {
      const [from, to] = [await open(), await open()]
      await to.evaluate((of) => kit.open(of).then((database) => void ((window as { database?: IDBDatabase }).database = database)), name)
      let seen = 0
      for (let i = 1; i <= 20; i++) {
        await from.evaluate(async (of) => {
          const database = ((window as { database?: IDBDatabase }).database ??= await kit.open(of))
          const transaction = database.transaction('s', 'readwrite')
          transaction.objectStore('s').put(1)
          transaction.commit()
          await kit.done(transaction)
        }, name)
        if ((await to.evaluate(() => kit.asked((window as { database?: IDBDatabase }).database!.transaction('s').objectStore('s').count()))) === i) seen++
      }
      return seen === 20 ? 'yes' : `${seen} of 20 times`
    },
  },
  {
    about: 'IndexedDB',
    question: 'do 100 counts by read and put, 50 in each of two pages, come to 100?',
    use: 'transactions of the store are linearised by the database',
    async run({ open, name }) {
      const pages = [await open(), await open()]
      await Promise.all(
        pages.map((page) =>
          page.evaluate(async (of) => {
            const database = await kit.open(of)
            for (let i = 0; i < 50; i++) {
              const transaction = database.transaction('s', 'readwrite')
              const store = transaction.objectStore('s')
              store.get(1).onsuccess = ({ target }) => store.put(((target as IDBRequest<number | undefined>).result ?? 0) + 1, 1)
              await kit.done(transaction)
            }
          }, name),
        ),
      )
      const counted = (await pages[0]!.evaluate((of) => kit.all(of), name))[0]
      return counted === 100 ? 'yes' : String(counted)
    },
  },
  {
    about: 'IndexedDB',
    question: 'what is stored of a transaction that is committed at once, and whose first request fails?',
    use: 'a part that must not be without the rest is committed when the rest is done',
    async run({ open, name }) {
      const page = await open()
      return page.evaluate(async (of) => {
        const database = await kit.open(of)
        await kit.done(database.transaction('s', 'readwrite').objectStore('s').put('first', 1).transaction!)
        const transaction = database.transaction('s', 'readwrite')
        const store = transaction.objectStore('s')
        store.add('again', 1) // the key is taken
        store.put('second', 2)
        transaction.commit()
        const end = await kit.done(transaction).catch((error: unknown) => (error as DOMException).name)
        return `${end}; ${(await kit.all(of)).includes('second') ? 'the rest' : 'nothing'}`
      }, name)
    },
  },
  {
    about: 'IndexedDB',
    question: 'does a write wait for that of another page, to another object store?',
    use: 'terms and leases have a store of their own',
    async run({ open, name }) {
      const [holder, writer] = [await open(), await open()]
      const connect = (of: string): Promise<void> =>
        new Promise((resolve) => {
          const request = indexedDB.open(of, 1)
          request.onupgradeneeded = () => ['s', 't'].forEach((store) => request.result.createObjectStore(store))
          request.onsuccess = () => {
            Object.assign(window, { database: request.result })
            resolve()
          }
        })
      for (const page of [holder, writer]) await page.evaluate(connect, name)
      await holder.evaluate(() => {
        const store = (window as { database?: IDBDatabase }).database!.transaction('s', 'readwrite').objectStore('s')
        const until = performance.now() + 2000
        const again = (): void => {
          if (performance.now() < until) store.get(1).onsuccess = again
        }
        again()
      })
      const took = await writer.evaluate(async () => {
        const from = performance.now()
        const transaction = (window as { database?: IDBDatabase }).database!.transaction('t', 'readwrite')
        transaction.objectStore('t').put(1, 1)
        await kit.done(transaction)
        return performance.now() - from
      })
      return yes(took > 1000)
    },
  },
  {
    about: 'IndexedDB',
    question: 'does clear() leave automatic keys going on?',
    use: 'cursors never meet a key twice',
    async run({ open, name }) {
      const page = await open()
      return yes(
        await page.evaluate(async (of) => {
          const database = await kit.open(of)
          const store = database.transaction('s', 'readwrite').objectStore('s')
          for (let i = 0; i < 3; i++) store.put(i)
          store.clear()
          return (await kit.asked(store.put(9))) === 4
        }, name),
      )
    },
  },
  {
    about: 'IndexedDB',
    question: 'what does an upgrade meet while another page has the database open and does not listen?',
    use: 'the version of our databases never changes',
    async run({ open, name }) {
      const [holder, upgrader] = [await open(), await open()]
      await holder.evaluate((of) => kit.open(of).then((database) => void ((window as { database?: IDBDatabase }).database = database)), name)
      const met = await upgrader.evaluate(
        (of) =>
          new Promise<string>((resolve) => {
            const request = indexedDB.open(of, 2)
            request.onblocked = () => resolve('blocked')
            request.onsuccess = () => resolve('success')
            setTimeout(() => resolve('silence'), 3000)
          }),
        name,
      )
      await holder.evaluate(() => (window as { database?: IDBDatabase }).database!.close())
      return met
    },
  },
  {
    about: 'IndexedDB',
    question: 'is an ArrayBuffer that a frame reads an instance of its page’s ArrayBuffer?',
    use: 'what is read is told by its tag',
    async run({ open, name }) {
      const page = await open()
      return page.evaluate(async (of) => {
        const frame = await kit.frame({ src: location.href })
        const inner = (frame.contentWindow as unknown as { kit: Kit }).kit
        const database = await kit.open(of)
        const transaction = database.transaction('s', 'readwrite')
        transaction.objectStore('s').put(new ArrayBuffer(8))
        await kit.done(transaction)
        const [value] = await inner.all(of)
        return value instanceof ArrayBuffer ? 'yes' : Object.prototype.toString.call(value) === '[object ArrayBuffer]' ? 'no, by its tag' : 'no'
      }, name)
    },
  },
  {
    about: 'IndexedDB',
    question: 'are there databases() and a durability of transactions?',
    use: 'versions are listed where they can be; strict is asked for where it counts',
    async run({ open, name }) {
      const page = await open()
      return page.evaluate(async (of) => {
        const database = await kit.open(of)
        const transaction = database.transaction('s', 'readwrite', { durability: 'strict' })
        return `${'databases' in indexedDB ? 'yes' : 'no'}, ${transaction.durability}`
      }, name)
    },
  },
  {
    about: 'IndexedDB',
    question: 'what does a page in a sandboxed frame, whose origin is opaque, meet?',
    use: 'each primitive is refused in its own way',
    async run({ open }) {
      const page = await open()
      return page.evaluate(async () => {
        const answer = new Promise<string>((resolve) => addEventListener('message', ({ data }) => resolve(data as string), { once: true }))
        await kit.frame({
          sandbox: 'allow-scripts',
          srcdoc: `<script>(async () => {
            const attempt = async (call) => { try { await call(); return 'works' } catch (error) { return error.name ?? String(error) } }
            const answers = {
              indexedDB: await attempt(() => new Promise((yes, no) => { const request = indexedDB.open('x'); request.onsuccess = yes; request.onerror = () => no(request.error) })),
              localStorage: await attempt(() => localStorage.getItem('x')),
              locks: await attempt(() => navigator.locks.query()),
              BroadcastChannel: await attempt(() => new BroadcastChannel('x').postMessage(1)),
            }
            parent.postMessage(Object.entries(answers).map(([name, answer]) => name + ' ' + answer).join(', '), '*')
          })()</script>`,
        })
        return answer
      })
    },
  },
  {
    about: 'Web Locks',
    question: 'is a lock granted in the order of asking, across pages?',
    use: 'who waits longest leads next',
    async run({ open, name }) {
      const pages = [await open(), await open(), await open(), await open()]
      await pages[0]!.evaluate((of) => void navigator.locks.request(of, () => kit.pause(1500)), name)
      const order = [2, 1, 3]
      for (const i of order) {
        await pages[i]!.evaluate((of) => void navigator.locks.request(of, () => kit.log.push(Date.now())), name)
        await pause(200)
      }
      await pause(1500)
      const times = await Promise.all(order.map((i) => pages[i]!.evaluate(() => kit.log[0] as number)))
      return yes(times.every((time, i) => i === 0 || time >= times[i - 1]!))
    },
  },
  {
    about: 'Web Locks',
    question: 'is the lock of a closed page given to the next within a second?',
    use: 'a new leader after a close',
    async run({ open, name }) {
      const [holder, waiter] = [await open(), await open()]
      await holder.evaluate((of) => new Promise<void>((held) => void navigator.locks.request(of, () => (held(), new Promise(() => undefined)))), name)
      await waiter.evaluate((of) => void navigator.locks.request(of, () => kit.log.push(Date.now())), name)
      const at = Date.now()
      await holder.close()
      await pause(1200)
      const [granted] = (await waiter.evaluate(() => kit.log)) as number[]
      return granted === undefined ? 'no' : yes(granted - at < 1000)
    },
  },
  {
    about: 'Web Locks',
    question: 'what does a holder meet from whom the lock is stolen?',
    use: 'it leads no more; what it does meanwhile does not count',
    async run({ open, name }) {
      const [holder, thief] = [await open(), await open()]
      await holder.evaluate((of) => {
        navigator.locks.request(of, () => kit.pause(2000).then(() => kit.log.push('goes on'))).catch((error: unknown) => kit.log.push((error as Error).name))
      }, name)
      await pause(200)
      await thief.evaluate((of) => void navigator.locks.request(of, { steal: true }, () => kit.pause(100)), name)
      await pause(2300)
      return holder.evaluate(() => kit.log.join(', then '))
    },
  },
  {
    about: 'Web Locks',
    question: 'does query() name holders and waiters of all pages?',
    use: 'who lives is seen by the locks that tabs hold',
    async run({ open, name }) {
      const [one, two] = [await open(), await open()]
      await one.evaluate((of) => new Promise<void>((held) => void navigator.locks.request(of, () => (held(), new Promise(() => undefined)))), name)
      await one.evaluate((of) => void navigator.locks.request(of, () => undefined), name)
      await pause(200)
      return two.evaluate(async (of) => {
        const { held, pending } = await navigator.locks.query()
        const count = (list: LockInfo[] | undefined): number => list?.filter(({ name }) => name === of).length ?? 0
        return `${count(held)} held, ${count(pending)} pending`
      }, name)
    },
  },
  {
    about: 'Web Locks',
    question: 'what becomes of the lock of a page that is left and would be cached?',
    use: 'it is given back in pagehide',
    async run({ open, leave, back, name }) {
      const [holder, waiter] = [await open(), await open()]
      await holder.evaluate((of) => new Promise<void>((held) => void navigator.locks.request(of, () => (held(), new Promise(() => undefined)))), name)
      await leave(holder)
      await waiter.evaluate((of) => void navigator.locks.request(of, () => kit.log.push(1)), name)
      await pause(2000)
      const isFree = (await waiter.evaluate(() => kit.log.length)) > 0
      return `${isFree ? 'free' : 'kept'} after 2 s; the page is ${(await back(holder)) ? 'cached' : 'not cached'}`
    },
  },
  {
    about: 'Web Locks',
    question: 'is a page cached whose lock is given back in pagehide?',
    use: 'whether tabs come back as they were',
    run: cachedAfter((name) => void navigator.locks.request(name, () => new Promise<void>((free) => addEventListener('pagehide', () => free(), { once: true })))),
  },
  {
    about: 'life of a page',
    question: 'in which order do pagehide and visibilitychange come when a page is left?',
    use: 'each of them stores what there is',
    async run({ open, leave, name }) {
      const page = await open()
      await page.evaluate((key) => {
        const note = (what: string): void => localStorage.setItem(key, [localStorage.getItem(key), what].filter(Boolean).join(', '))
        addEventListener('pagehide', () => note('pagehide'))
        document.addEventListener('visibilitychange', () => note('visibilitychange'))
      }, name)
      await leave(page)
      return (await open()).evaluate((key) => localStorage.getItem(key), name)
    },
  },
  { about: 'life of a page', question: 'is a plain page cached, and restored on the way back?', use: 'what follows is about such pages', run: cachedAfter(() => undefined) },
  {
    about: 'life of a page',
    question: 'one with an open BroadcastChannel?',
    use: 'channels are closed in pagehide all the same',
    run: cachedAfter((name) => void ((window as { channel?: BroadcastChannel }).channel = new BroadcastChannel(name))),
  },
  {
    about: 'life of a page',
    question: 'one with an open database?',
    use: 'the connection stays open',
    run: cachedAfter((name) => kit.open(name).then((database) => void ((window as { database?: IDBDatabase }).database = database))),
  },
  {
    about: 'life of a page',
    question: 'one with a dedicated worker?',
    use: 'stores in workers come back with their page, or end with it',
    run: cachedAfter(() => void ((window as { worker?: Worker }).worker = new Worker(URL.createObjectURL(new Blob(['setInterval(() => {}, 1000)']))))),
  },
  {
    about: 'life of a page',
    question: 'does a timer of a cached page run while it is cached?',
    use: 'nothing is late, it is stopped',
    async run({ open, leave, back }) {
      const page = await open()
      await page.evaluate(() => void setInterval(() => kit.log.push(Date.now()), 100))
      await leave(page)
      const from = Date.now()
      await pause(2000)
      const to = Date.now()
      if (!(await back(page))) return 'the page is not kept'
      return yes(await page.evaluate(([first, last]) => kit.log.some((at) => (at as number) > first! + 300 && (at as number) < last!), [from, to]))
    },
  },
  {
    about: 'life of a page',
    question: 'does sessionStorage stay over a reload, and reach a new page?',
    use: 'the label of a tab',
    async run({ open, name }) {
      const page = await open()
      await page.evaluate((key) => sessionStorage.setItem(key, '1'), name)
      await page.evaluate(() => void setTimeout(() => location.reload()))
      await pause(1000)
      const stays = (await page.evaluate((key) => sessionStorage.getItem(key), name)) === '1'
      const reaches = (await (await open()).evaluate((key) => sessionStorage.getItem(key), name)) === '1'
      return `${stays ? 'stays' : 'goes'}, ${reaches ? 'reaches it' : 'does not reach it'}`
    },
  },
  {
    about: 'life of a page',
    question: 'does a window that a page opens copy its sessionStorage?',
    use: 'a lock tells whose the label is',
    async run({ open, name }) {
      const page = await open()
      return page.evaluate(async (key) => {
        sessionStorage.setItem(key, '1')
        const child = window.open(location.href)
        if (!child) return 'no window is opened for a script'
        while (!('kit' in child)) await kit.pause(20)
        const copied = child.sessionStorage.getItem(key)
        child.close()
        return copied === '1' ? 'yes' : 'no'
      }, name)
    },
  },
  {
    about: 'workers and frames',
    question: 'what does a service worker have?',
    use: 'as a reader it has the journal and the channel, no storage events',
    async run({ open }) {
      const page = await open()
      return page.evaluate(async () => {
        const registration = await navigator.serviceWorker.register('service-worker.js')
        const worker = registration.installing ?? registration.waiting ?? registration.active
        const { port1, port2 } = new MessageChannel()
        const answer = new Promise<string>((resolve) => (port1.onmessage = ({ data }) => resolve(data as string)))
        worker!.postMessage('', [port2])
        const have = await Promise.race([answer, kit.pause(5000).then(() => 'silence')])
        await registration.unregister()
        return have
      })
    },
  },
  {
    about: 'workers and frames',
    question: 'does a dedicated worker have them?',
    use: 'shelf and storage events are for pages',
    async run({ open }) {
      const page = await open()
      return page.evaluate(
        () =>
          new Promise<string>((resolve) => {
            const names = ['indexedDB', 'BroadcastChannel', 'localStorage', 'sessionStorage']
            const script = `postMessage(${JSON.stringify(names)}.filter((name) => name in globalThis).concat('locks' in navigator ? 'locks' : []).join(', '))`
            new Worker(URL.createObjectURL(new Blob([script]))).onmessage = ({ data }) => resolve(data as string)
          }),
      )
    },
  },
]
