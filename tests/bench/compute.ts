// Blocks, particle steps and records, in Node and in Chromium, each against the same without tabmesh.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Compute } from '../../js-glue/index.ts'
import { launch, openTab, serve } from '../browser/harness.ts'

export type Row = { readonly name: string } & Record<string, number | string>

interface Work {
  pool(compute: Compute): Row[]
  steps(compute: Compute): Row[]
  records(compute: Compute): Promise<Row[]>
}

const named = (where: string, rows: readonly Row[]): Row[] => rows.map((row) => ({ ...row, name: `${where} ${row.name}` }))

type Import = (url: string) => Promise<unknown>

async function inNode(load: Import): Promise<Row[]> {
  setFlagsFromString('--expose-gc')
  globalThis.gc = runInNewContext('gc') as typeof globalThis.gc
  const root = new URL('../../', import.meta.url)
  const { openStore } = (await load(new URL('dist/index.js', root).href)) as typeof import('../../js-glue/index.ts')
  const work = (await load(new URL('tests/bench/compute-work.js', root).href)) as Work
  const store = await openStore({ name: 'bench', state: {}, persist: false })
  await store.compute.ready
  const rows = [...work.pool(store.compute), ...work.steps(store.compute)]
  await store.close()
  return named('Node', rows)
}

async function inChromium(): Promise<Row[]> {
  const server = await serve()
  const profile = await launch()
  try {
    const page = await openTab(profile, server.url)
    await page.addScriptTag({ type: 'module', content: "import * as work from '/tests/bench/compute-work.js'\nwindow.work = work" })
    await page.waitForFunction(() => 'work' in window)
    const rows = await page.evaluate(async () => {
      const { work } = window as unknown as { work: Work }
      const store = await window.tabmesh.openStore({ name: 'bench', state: {} })
      await store.compute.ready
      return [...work.pool(store.compute), ...work.steps(store.compute), ...(await work.records(store.compute))]
    })
    return named('Chromium', rows)
  } finally {
    await profile.close()
    await server.close()
  }
}

export const compute = async (load: Import): Promise<Row[]> => [...(await inNode(load)), ...(await inChromium())]
