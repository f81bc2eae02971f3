// Debian's Chromium by playwright-core, as the harness of the other suites starts it.
import { launch } from '../harness.ts'
import type { Browser } from './browser.ts'

export async function launchChromium(): Promise<Browser> {
  const profile = await launch()
  return {
    version: `Chromium ${profile.context.browser()!.version()}`,
    async open(url) {
      const page = await profile.context.newPage()
      await page.goto(url)
      return {
        evaluate: (run, arg) => page.evaluate(run as never, arg as never),
        close: () => page.close(),
      }
    },
    close: () => profile.close(),
  }
}
