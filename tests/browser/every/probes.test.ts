// Each browser answers as is written down: where one of a later version does not, the glue may rest on something that is no more.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { browserNames, chosenBrowser, type BrowserName, type BrowserTab } from '../browsers/browser.ts'
import { eventually, root } from '../harness.ts'
import { probes, type Probing } from '../probes/probes.ts'
import { useBrowser } from '../suite.ts'

const suite = useBrowser()
const golden = join(root, 'tests/golden/probes.json')
const guide = join(root, 'docs/BROWSERS.md')
const rewrite = process.env.TABMESH_REWRITE_GOLDEN !== undefined

interface Answers {
  versions: Partial<Record<BrowserName, string>>
  answers: Record<string, Partial<Record<BrowserName, string>>>
}
const known = JSON.parse(readFileSync(golden, 'utf8')) as Answers

/** The documentation's table. */
function shown({ versions, answers }: Answers): string {
  const groups = [...new Set(probes.map(({ about }) => about))]
  const cell = (text: string | undefined): string => (text ?? '').replaceAll('|', '\\|')
  const tables = groups.map((group) => {
    const rows = probes.filter(({ about }) => about === group).map(({ question, use, varies }) => [question, ...browserNames.map((name) => cell(answers[`${group}: ${question}`]?.[name]) + (varies ? ' (varies)' : '')), use])
    return [`## ${group}`, '', `| question | ${browserNames.map((name) => versions[name] ?? name).join(' | ')} | what follows |`, '| --- | --- | --- | --- | --- |', ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n')
  })
  return `# What browsers do\n\nEach line is a probe: a few lines of script in pages of one profile, which use nothing of tabmesh (tests/browser/probes). \`npm run test:browser -- --browser=all probes\` asks again and\ncompares; \`TABMESH_REWRITE_GOLDEN=1\` writes down what it hears. The simulator's browser (tests/sim) does what these do, and worse.\n\n${tables.join('\n\n')}\n`
}

let names = 0
const asks = <T>(page: BrowserTab, run: () => T): Promise<T | undefined> => page.evaluate(run).catch(() => undefined)

describe(`${chosenBrowser()} answers as is written down`, () => {
  test.each(probes.map((one) => [`${one.about}: ${one.question}`, one] as const))('%s', async (key, { run, varies }) => {
    const opened: BrowserTab[] = []
    const url = suite.server.url.replace('page.html', 'probes/probe.html')
    const isThere = (page: BrowserTab, path: string): Promise<boolean | undefined> => eventually(() => asks(page, () => location.pathname), (at) => at?.endsWith(path) === true, 20_000).then(() => true)
    const probing: Probing = {
      name: `probe-${Date.now().toString(36)}-${++names}`,
      async open() {
        const page = await suite.browser.open(url)
        opened.push(page)
        await eventually(() => asks(page, () => 'kit' in window), Boolean, 20_000)
        return page
      },
      async leave(page, prepare, name) {
        if (prepare) await page.evaluate(prepare, name)
        await page.evaluate(() => void setTimeout(() => location.assign('/tests/browser/other.html')))
        await isThere(page, 'other.html')
      },
      async back(page) {
        await page.evaluate(() => void setTimeout(() => history.back()))
        await isThere(page, 'probe.html')
        await eventually(() => asks(page, () => 'kit' in window), Boolean, 20_000)
        return (await asks(page, () => document.title === 'left')) ?? false
      },
    }
    // The page that comes back is told by what was written on it.
    const { leave } = probing
    const marked: Probing = { ...probing, leave: async (page, ...given) => (await page.evaluate(() => void (document.title = 'left')), leave(page, ...given)) }
    const answer = String(await run(marked))
    for (const page of opened) await page.close().catch(() => undefined)
    if (rewrite) {
      ;(known.answers[key] ??= {})[chosenBrowser()] = answer
      known.versions[chosenBrowser()] = suite.browser.version
    } else if (!varies) {
      expect(answer).toBe(known.answers[key]?.[chosenBrowser()])
    }
  })

  test('the documentation says the same', () => {
    if (rewrite) {
      const ordered = Object.fromEntries(probes.map(({ about, question }) => [`${about}: ${question}`, known.answers[`${about}: ${question}`] ?? {}]))
      writeFileSync(golden, JSON.stringify({ ...known, answers: ordered }, undefined, 2) + '\n')
      writeFileSync(guide, shown(known))
    }
    expect(readFileSync(guide, 'utf8')).toBe(shown(known))
  })
})
