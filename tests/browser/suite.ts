// What a file of tests in browsers begins with: one server, and one profile for all of its tests.
import { afterAll, beforeAll } from 'vitest'
import { chosenBrowser, launchBrowser, type Browser } from './browsers/browser.ts'
import { launch, serve, type Profile } from './harness.ts'

export interface Suite {
  readonly profile: Profile
  readonly server: Awaited<ReturnType<typeof serve>>
}

/** Filled before the first test. */
export function useChromium(): Suite {
  const suite = {} as { profile: Profile; server: Suite['server'] }
  beforeAll(async () => {
    suite.server = await serve()
    suite.profile = await launch()
  })
  afterAll(async () => {
    await suite.profile?.close()
    await suite.server?.close()
  })
  return suite
}

export interface BrowserSuite {
  readonly browser: Browser
  readonly server: Awaited<ReturnType<typeof serve>>
}

/** The same in whichever browser is chosen. */
export function useBrowser(): BrowserSuite {
  const suite = {} as { browser: Browser; server: BrowserSuite['server'] }
  beforeAll(async () => {
    suite.server = await serve()
    suite.browser = await launchBrowser(chosenBrowser())
  })
  afterAll(async () => {
    await suite.browser?.close()
    await suite.server?.close()
  })
  return suite
}
