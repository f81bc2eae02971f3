// A disk that is full: a small one of its own, which a file takes up. Needs root, for the mount.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startBrowser, type BareBrowser } from '../../browsers/bare.ts'
import { chosenBrowser } from '../../browsers/browser.ts'
import { eventually, serve } from '../../harness.ts'
import { pause } from '../../writers.ts'

interface Said {
  readonly tab: string
  readonly durable: number
  readonly seen: readonly string[]
  readonly status: { readonly pendingDurable: number; readonly safeToClose: boolean; readonly persistence: string }
  readonly keys: readonly string[]
}

const writes = 40
const said = new Map<string, Said>()
const orders = new Map<string, string>()
let server: Awaited<ReturnType<typeof serve>>
const disk = mkdtempSync(join(tmpdir(), 'tabmesh-disk-'))
const filler = join(disk, 'filler')
let isMounted = false
let browser: BareBrowser | undefined

try {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=400m', 'tabmesh-full', disk], { stdio: 'ignore' })
  isMounted = true
} catch {
  console.info('no small disk can be mounted here: run as root')
}
beforeAll(async () => {
  server = await serve({}, (text) => {
    const words = JSON.parse(text) as Said
    said.set(words.tab, words)
    const order = orders.get(words.tab) ?? ''
    orders.delete(words.tab)
    return order
  })
})
afterAll(async () => {
  await browser?.kill()
  await server.close()
  if (isMounted) execFileSync('umount', ['-l', disk])
  rmSync(disk, { recursive: true, force: true })
})

const start = async (): Promise<void> => {
  said.clear()
  browser = await startBrowser(chosenBrowser(), join(disk, 'profile'), ['a', 'b'].map((tab) => server.url.replace('page.html', `filler.html?${tab}`)))
  await eventually(() => pause(20).then(() => said.size), (count) => count === 2, 30_000)
}
const until = (tab: string, holds: (words: Said) => boolean, ms: number): Promise<Said> => eventually(() => pause(20).then(() => said.get(tab)!), holds, ms)
const countOf = ({ keys }: Said, episode: number): number => keys.filter((key) => key.startsWith(`${episode}-`)).length

/** Takes up all but so many bytes of the disk. */
function fill(but: number): void {
  rmSync(filler, { force: true })
  const { bavail, bsize } = statfsSync(disk)
  try {
    writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - but)))
  } catch {
    // The browser was quicker: all of it is taken.
    truncateSync(filler, Math.max(0, statSync(filler).size - but))
  }
}

/** Chromium closes the connection, and opens no other one while the disk is full; WebKit aborts without a reason. */
const told = chosenBrowser() === 'webkit' ? 'storage-failed' : 'storage-full'
const events = ({ seen }: Said): readonly string[] => (chosenBrowser() === 'chromium' ? seen.filter((event) => event !== 'storage-failed') : seen)

test.runIf(isMounted)(`a full disk under two tabs of ${chosenBrowser()}: nothing is called durable that is not stored, it is told once an episode, and with room again all becomes durable`, async () => {
  await start()
  const durable: number[] = []
  for (let episode = 1; episode <= 2; episode++) {
    await pause(1000)
    fill(1_000_000)
    orders.set('a', JSON.stringify([episode, writes]))
    await until('a', ({ seen }) => seen.filter((event) => event === told).length === episode, 20_000)
    await pause(3000)
    const pending = said.get('a')!
    const before = (episode - 1) * writes
    durable.push(pending.durable - before)
    expect(pending.durable).toBeLessThan(before + writes)
    expect(pending.status.pendingDurable).toBeGreaterThanOrEqual(before + writes - pending.durable)
    expect(pending.status.safeToClose).toBe(false)
    await until('b', (words) => countOf(words, episode) === writes, 5000)
    rmSync(filler)
    await until('a', (words) => words.durable === before + writes, 40_000)
    await until('a', ({ status }) => status.safeToClose, 5000)
    expect(events(said.get('a')!)).toEqual(Array.from({ length: episode }, () => told))
  }
  await browser!.kill()
  await start()
  for (const tab of ['a', 'b']) await until(tab, (words) => [1, 2].every((episode) => countOf(words, episode) === writes), 10_000)
  console.info(`${chosenBrowser()}: full twice, after ${durable.join(' and ')} of ${writes} writes of 75 KB; all of them are there in the next browser`)
})
