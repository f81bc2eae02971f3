// What a file of tests in Chromium begins with: one server, and one profile for all of its tests.
import { afterAll, beforeAll } from 'vitest'
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
