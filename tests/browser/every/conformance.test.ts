// The browser's own channels, journal and locks keep what the memory twin keeps, in every browser that is driven.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { beforeAll, describe, expect, test } from 'vitest'
import { channelKinds } from '../../../js-glue/platform.ts'
import { channelCases } from '../../conformance/channel.ts'
import { journalCases } from '../../conformance/journal.ts'
import { lockCases } from '../../conformance/lock.ts'
import { recordCases } from '../../conformance/records.ts'
import { chosenBrowser, type BrowserTab } from '../browsers/browser.ts'
import { eventually, root } from '../harness.ts'
import { useBrowser } from '../suite.ts'

const suite = useBrowser()
let page: BrowserTab

beforeAll(async () => {
  const outdir = join(root, 'build', 'conformance')
  await mkdir(outdir, { recursive: true })
  await build({ entryPoints: [join(root, 'tests/conformance/page.ts')], outdir, bundle: true, format: 'esm', target: 'es2022', external: ['node:*'] })
  page = await suite.browser.open(new URL('/tests/conformance/page.html', suite.server.url).href)
  await eventually(() => page.evaluate(() => window.conformance !== undefined), Boolean)
})

const names = [
  ...channelKinds.map((kind) => [kind, channelCases(kind, undefined as never)] as const),
  ['journal', journalCases] as const,
  ['lock', lockCases] as const,
  ['records', recordCases] as const,
]

describe(`in ${chosenBrowser()}`, () => {
  test('every case is there', async () => {
    expect(await page.evaluate(() => window.conformance!())).toHaveLength(names.flatMap(([, cases]) => cases).length)
  })

  describe.each(names)('%s', (suite, cases) => {
    test.each(cases.map(({ name }) => name))('%s', async (name) => {
      expect(await page.evaluate(([suite, name]) => window.conformance!(suite, name), [suite, name] as const)).toBe('kept')
    })
  })
})
