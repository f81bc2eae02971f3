// A page that runs the suites on the browser's own parts: each tab is a frame, with channels and locks of its own.
import { loadModule } from '../../js-glue/core.ts'
import { bytePackerOf } from '../../js-glue/lz.ts'
import { createBrowserPlatform } from '../../js-glue/platform/browser.ts'
import { channelKinds, type Platform } from '../../js-glue/platform.ts'
import { channelCases } from './channel.ts'
import { journalCases } from './journal.ts'
import { lockCases } from './lock.ts'
import { recordCases } from './records.ts'
import type { Case, Surroundings, Tab } from './surroundings.ts'

declare global {
  interface Window {
    tabmeshPlatform?: Platform
    /** Runs one case; the names of all, when none is named. */
    conformance?: (suite?: string, name?: string) => Promise<string[] | string>
  }
}

if (window.parent !== window) {
  window.tabmeshPlatform = createBrowserPlatform()
} else {
  const suites: Record<string, readonly Case[]> = { journal: journalCases, lock: lockCases, records: recordCases }
  const packer = bytePackerOf(await loadModule('/dist/tabmesh.wasm'))
  for (const kind of channelKinds) suites[kind] = channelCases(kind, packer)

  window.conformance = async (suite, name) => {
    if (suite === undefined) return Object.entries(suites).flatMap(([suite, cases]) => cases.map((one) => `${suite}: ${one.name}`))
    const frames: HTMLIFrameElement[] = []
    const surroundings: Surroundings = {
      async openTab(): Promise<Tab> {
        const frame = document.createElement('iframe')
        frame.src = location.pathname
        document.body.append(frame)
        frames.push(frame)
        while (!frame.contentWindow?.tabmeshPlatform) await new Promise((resolve) => setTimeout(resolve, 5))
        return { platform: frame.contentWindow.tabmeshPlatform, kill: () => frame.remove() }
      },
    }
    try {
      await suites[suite]!.find((one) => one.name === name)!.run(surroundings)
      return 'kept'
    } catch (error) {
      return String(error)
    } finally {
      for (const frame of frames) frame.remove()
    }
  }
}
