// Processes of a browser, as /proc tells.
import { readdirSync, readFileSync } from 'node:fs'

/** Fields of /proc/PID/stat after the name in parentheses; undefined for a process that is gone. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

/** All that run under a process. */
export function descendants(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) ? Number(statOf(Number(name))?.[1]) : NaN
    if (!Number.isNaN(parent)) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const found: number[] = []
  for (let at = [root]; at.length > 0; ) {
    at = at.flatMap((pid) => children.get(pid) ?? [])
    found.push(...at)
  }
  return found
}

/** At most 15 characters. */
export function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return ''
  }
}

/** Whether it runs pages: a renderer of Chromium's, a content process of Firefox', or WebKit's web process. */
function runsPages(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('--type=renderer') || /^(Isolated|Web Content|WebKitWebProc)/.test(nameOf(pid))
  } catch {
    return false
  }
}

/** Processor time in clock ticks of 10 ms. */
const ticksOf = (pid: number): number => {
  const stat = statOf(pid)
  return stat ? Number(stat[11]) + Number(stat[12]) : 0
}

/**
 * The one under `root` that runs pages and works while `burn` makes a page work for half a second. Three times in a row the same, and at least twice as busy as any other; fails when none is
 * after twenty tries.
 */
export async function processThatBurns(root: number, burn: () => Promise<unknown>): Promise<number> {
  let before: number | undefined
  let agreed = 0
  for (let tries = 0; tries < 20; tries++) {
    const ticks = new Map(descendants(root).filter(runsPages).map((pid) => [pid, ticksOf(pid)]))
    await burn()
    const [first, second] = [...ticks].map(([pid, then]) => ({ pid, spent: ticksOf(pid) - then })).sort((a, b) => b.spent - a.spent)
    const isClear = first !== undefined && first.spent >= 12 && first.spent >= 2 * (second?.spent ?? 0)
    agreed = isClear && first.pid === before ? agreed + 1 : 0
    if (agreed === 2) return first!.pid
    before = isClear ? first.pid : undefined
  }
  throw new Error('no process of the browser stands out while the page works: is the machine too busy?')
}
