// Debian's Firefox ESR by puppeteer-core, over WebDriver BiDi.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import puppeteer from 'puppeteer-core'
import { firefoxPath } from '../../../scripts/lib/debian.mjs'
import type { Browser } from './browser.ts'

export async function launchFirefox(): Promise<Browser> {
  const folder = await mkdtemp(join(tmpdir(), 'tabmesh-firefox-'))
  const browser = await puppeteer.launch({ browser: 'firefox', executablePath: firefoxPath(), headless: true, userDataDir: folder })
  return {
    version: (await browser.version()).replace('firefox/', 'Firefox '),
    async open(url) {
      const page = await browser.newPage()
      await page.goto(url)
      return {
        evaluate: (run, arg) => page.evaluate(run as never, arg as never),
        close: () => page.close(),
      }
    },
    async close() {
      await browser.close()
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
