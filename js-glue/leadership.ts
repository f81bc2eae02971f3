// Who leads, and who lives: the leader lock, or what takes its place, the claim of a term, and the looks at who runs.
import { createAdvisory, termOfItsOwn } from './advisory.ts'
import type { Channels } from './channels.ts'
import type { Core } from './core.ts'
import { TabmeshError } from './errors.ts'
import { createLease } from './lease.ts'
import type { LeaderLock, LockHandlers, Platform } from './platform.ts'
import type { Storage } from './storage.ts'

const claimAgainMs = 2000
/** Between two looks at which tabs still live. */
const aliveEveryMs = 5000
/** The same while the leader lock is held by somebody who is not shown as alive; who runs is shown again at once. */
const doubtEveryMs = 1500

/** A tab may be heard of before the browser has given it the lock that shows it as alive: for so long it needs none. */
const newMs = 3000

export interface LeadershipOptions {
  readonly name: string
  readonly id: string
  readonly core: Core
  readonly storage: Storage
  readonly channels: Channels
  readonly platform: Platform
  readonly mayLead: boolean
  /** Who leads, as far as this tab knows. */
  readonly leader: () => string | undefined
  readonly leads: () => boolean
  readonly suspended: () => boolean
  readonly ended: () => boolean
  /** After every call of the core. */
  readonly perform: () => void
}

export interface Leadership {
  /** What the core wants done with the leader lock. */
  request(): void
  steal(): void
  release(): void
  claim(atLeast: number): void
  /** This tab leads now: who has forced it hears of it. */
  led(): void
  /** Takes the lead. Rejects as Leader.force does. */
  force(): Promise<void>
  /** Shows this tab as alive, or no more, as the page comes and goes. */
  show(): void
  hide(): void
  knock(instance: string): void
  /** Leads no more, for good; who has forced it is told why. */
  retire(reason: TabmeshError): void
  /** How many others live; where nobody knows, one. */
  others(): Promise<number>
  /** Looks who lives, and goes on while there is anybody to look for. */
  look(): void
  /** Goes on with the looks, if there is anybody. */
  watch(): void
  /** Resolves when others may lead. */
  end(reason: TabmeshError): Promise<void>
}

export function createLeadership({ name, id, core, storage, channels, platform, mayLead, leader, leads, suspended, ended, perform }: LeadershipOptions): Leadership {
  const { clock } = platform
  const { replica } = core
  const lock = platform.openLock(name)
  const leaderLock: LeaderLock = lock ?? withoutLocks()
  /** Those who wait until this tab leads. */
  const forcing: { readonly resolve: () => void; readonly reject: (error: TabmeshError) => void }[] = []
  let cancelLook: (() => void) | undefined
  /** Since when each of the others is known. */
  const known = new Map<string, number>()
  let missing = false // somebody who lives has not been heard of
  let retired = false
  let doubtful = false // the leader lock is held by somebody who is not shown as alive

  const handlers: LockHandlers = {
    granted() {
      replica.lockGranted(clock.now())
      perform()
    },
    lost() {
      replica.lockLost(clock.now())
      perform()
    },
  }

  /** A lease where there is a database, which shows when it is opened; else nothing but what the tabs hear of each other. */
  function withoutLocks(): LeaderLock {
    const lease = createLease(clock, id, storage)
    const advisory = createAdvisory({ clock, instance: id, peers: () => core.peers(), leader })
    let way = lease
    let mine: object | undefined
    return {
      request(wanted) {
        const own = (mine = {})
        void storage.open().then(() => {
          if (mine !== own) return
          way = storage.absent ? advisory : lease
          way.request(wanted)
        })
      },
      release() {
        mine = undefined
        way.release()
      },
      get givenBack() {
        return way.givenBack
      },
    }
  }

  async function claim(atLeast: number): Promise<void> {
    try {
      await storage.open()
      if (ended()) return
      if (!storage.journal && !storage.absent) throw new TabmeshError('storage-failed', 'There is no database to keep the term in.')
      const term = (await storage.journal?.claimTerm(atLeast, id)) ?? (lock ? atLeast : termOfItsOwn(atLeast, id))
      if (ended()) return
      replica.termClaimed(term, clock.now())
    } catch {
      if (ended()) return
      replica.claimFailed(clock.now())
      clock.after(claimAgainMs, () => {
        if (ended() || leads()) return
        handlers.lost() // queues again
      })
    }
    perform()
  }

  /** Called whenever the others are other ones. */
  function watch(): void {
    if (ended()) return
    const peers = core.peers().map((peer) => peer.id)
    for (const peer of known.keys()) if (!peers.includes(peer)) known.delete(peer)
    for (const peer of peers) if (!known.has(peer)) known.set(peer, clock.now())
    if (suspended() || cancelLook || !lock || (!missing && !doubtful && peers.length === 0)) return
    cancelLook = clock.after(doubtful ? doubtEveryMs : aliveEveryMs, () => {
      cancelLook = undefined
      look()
    })
  }

  function look(): void {
    void lookOnce().then(watch)
  }

  async function lookOnce(): Promise<void> {
    const roll = await lock?.roll().catch(() => undefined)
    if (!roll || ended() || suspended()) return
    doubtful = roll.holder === '' && !leads()
    missing = channels.look(roll.alive.filter((other) => other !== id))
    if (ended()) return
    const recent = [...known].filter(([, since]) => Math.abs(clock.now() - since) < newMs).map(([peer]) => peer)
    core.retainPeers([...roll.alive, ...recent], clock.now())
    perform()
    core.lockHeldBy(roll.holder, clock.now())
    perform()
  }

  return {
    request: () => retired || leaderLock.request(handlers),
    steal: () => retired || lock?.request(handlers, true),
    release: () => leaderLock.release(),
    claim: (atLeast) => void claim(atLeast),
    led: () => forcing.splice(0).forEach(({ resolve }) => resolve()),
    force: () =>
      new Promise((resolve, reject) => {
        if (ended()) throw new TabmeshError('closed', 'The store is closed.')
        if (!lock || !mayLead || retired) throw new TabmeshError('unsupported', 'This tab cannot take the lead: there are no Web Locks here, the option leader is false, or a newer version of the app runs.')
        if (leads()) return resolve()
        forcing.push({ resolve, reject })
        replica.takeLead(clock.now())
        perform()
      }),
    // Who is reached by nothing is not looked for, but known when it holds the leader lock.
    show: () =>
      lock?.show(id, channels.isOpen(), () => {
        if (ended()) return
        replica.announce(clock.now()) // others may have taken this tab for gone
        perform()
      }),
    hide() {
      lock?.hide()
      cancelLook?.()
      cancelLook = undefined
    },
    knock: (instance) => lock?.knock(instance),
    retire(reason) {
      retired = true
      leaderLock.release()
      forcing.splice(0).forEach(({ reject }) => reject(reason))
      handlers.lost()
    },
    others: async () => (await lock?.roll().catch(() => undefined))?.alive.filter((other) => other !== id).length ?? 1,
    look,
    watch,
    async end(reason) {
      forcing.splice(0).forEach(({ reject }) => reject(reason))
      leaderLock.release()
      await leaderLock.givenBack
    },
  }
}
