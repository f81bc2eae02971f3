// Tabs of a bare browser that write 20 times a second (writer.js), and what they tell the tests' server.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBrowser, type BareBrowser } from './browsers/bare.ts'
import { chosenBrowser } from './browsers/browser.ts'
import { processThatBurns } from './browsers/processes.ts'
import { eventually, serve } from './harness.ts'

export interface StoreSeen {
  readonly persistence: string
  readonly isLeader: boolean
  readonly tabs: number
  readonly writes: Readonly<Record<string, number>>
}

/** What a page says, each in one of these. */
interface Message {
  readonly store: string
  readonly tab: string
  readonly opened?: StoreSeen
  readonly leads?: { readonly at: number }
  readonly durable?: readonly [key: string, n: number]
  readonly effect?: { readonly fence: number }
  /** An error's code. */
  readonly failed?: string
  /** It has written, and works. */
  readonly begun?: boolean
  /** Done as asked, and what the store has then. */
  readonly done?: StoreSeen
}

interface Asked {
  readonly what: 'work' | 'state'
  begun: (inTime: boolean) => void
  readonly done: (state: StoreSeen) => void
}

export interface Writers {
  /** Tabs of one profile, which stays from one browser to the next. */
  start(store: string, tabs: number): Promise<BareBrowser>
  /** Since `start`: what each tab found when its store was ready. */
  readonly opened: readonly { readonly tab: string; readonly found: StoreSeen }[]
  /** Since `start`: who began to lead, in milliseconds since 1970. */
  readonly led: readonly { readonly tab: string; readonly at: number }[]
  /** Of a store: what this process was told to be durable, and of whom. Only that a page's word has left the page counts. */
  acknowledged(store: string): ReadonlyMap<string, number>
  /** What leaders wanted done, as a server takes it: not from who comes with a smaller fence than it has seen. */
  readonly effects: readonly { readonly tab: string; readonly at: number }[]
  /** Since `start`: what stores have told as errors. */
  readonly failed: readonly { readonly tab: string; readonly code: string; readonly at: number }[]
  /** Has a tab write `work-…` and then work for half a second in that task; `begun`: it has written, and works, or where its word has come late, it is done. */
  work(tab: string, begun?: (inTime: boolean) => void): Promise<StoreSeen>
  stateOf(tab: string): Promise<StoreSeen>
  processOf(browser: BareBrowser, tab: string): Promise<number>
  close(): Promise<void>
}

export const until = (holds: () => boolean, ms: number): Promise<unknown> => eventually(() => new Promise<boolean>((resolve) => setTimeout(() => resolve(holds()), 1)), Boolean, ms)
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export async function createWriters(): Promise<Writers> {
  const acknowledged = new Map<string, Map<string, number>>()
  const ofStore = (store: string): Map<string, number> => acknowledged.get(store) ?? acknowledged.set(store, new Map()).get(store)!
  const opened: { tab: string; found: StoreSeen }[] = []
  const led: { tab: string; at: number }[] = []
  const effects: { tab: string; at: number }[] = []
  const failed: { tab: string; code: string; at: number }[] = []
  const asked = new Map<string, Asked>()
  let newestFence = 0

  function told(text: string): string {
    const { store, tab, ...message } = JSON.parse(text) as Message
    if (message.opened) opened.push({ tab, found: message.opened })
    if (message.leads) led.push({ tab, at: message.leads.at })
    if (message.failed) failed.push({ tab, code: message.failed, at: Date.now() })
    if (message.durable) ofStore(store).set(...message.durable)
    if (message.effect && message.effect.fence >= newestFence) {
      newestFence = message.effect.fence
      effects.push({ tab, at: Date.now() })
    }
    const question = asked.get(tab)
    if (message.done) {
      asked.delete(tab)
      question?.done(message.done)
      return ''
    }
    if (message.begun) question?.begun(true)
    return question?.what ?? ''
  }

  const server = await serve({}, told)
  const folder = await mkdtemp(join(tmpdir(), 'tabmesh-profile-'))
  const ask = (tab: string, what: Asked['what'], begun?: (inTime: boolean) => void): Promise<StoreSeen> =>
    new Promise((done, fail) => {
      const limit = setTimeout(() => fail(new Error(`the tab ${tab} was asked for its ${what} and has not answered for a minute`)), 60_000)
      const question: Asked = {
        what,
        begun(inTime) {
          question.begun = () => undefined
          begun?.(inTime)
        },
        done(state) {
          clearTimeout(limit)
          question.begun(false)
          done(state)
        },
      }
      asked.set(tab, question)
    })

  return {
    opened,
    led,
    effects,
    failed,
    acknowledged: ofStore,
    async start(store, tabs) {
      opened.length = led.length = effects.length = failed.length = newestFence = 0
      asked.clear()
      const url = `${server.url.replace('page.html', 'writer.html')}?${store}`
      const before = ofStore(store).size
      const browser = await startBrowser(chosenBrowser(), folder, Array.from({ length: tabs }, () => url))
      try {
        await until(() => opened.length === tabs && led.length > 0 && ofStore(store).size > before + 20, 60_000)
      } catch (cause) {
        await browser.kill()
        throw cause
      }
      return browser
    },
    work: (tab, begun) => ask(tab, 'work', begun),
    stateOf: (tab) => ask(tab, 'state'),
    processOf: (browser, tab) => processThatBurns(browser.pid, () => ask(tab, 'work')),
    async close() {
      await server.close()
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
