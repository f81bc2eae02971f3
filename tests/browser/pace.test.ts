// throttleMs and debounceMs in Chromium: what a third party hears on the channel while one tab writes 10,000 times.
import { expect, test } from 'vitest'
import { eventually, openStoreTab, openTab } from './harness.ts'
import { useChromium } from './suite.ts'

const suite = useChromium()
const writes = 10_000

test.each([
  ['throttleMs: 100', { throttleMs: 100 }, (frames: number, ms: number) => frames <= Math.ceil(ms / 100) + 1],
  ['debounceMs: 300', { debounceMs: 300 }, (frames: number) => frames === 1],
  ['neither: one a task', {}, (frames: number) => frames <= writes / 100 + 1],
] as const)('10,000 setState calls in 100 tasks, %s: the last state is in both tabs', async (name, pace, isPaced) => {
  const options = { name: `pace-${Object.keys(pace).join('') || 'none'}`, state: { n: 0 }, ...pace }
  const [one, two] = [await openStoreTab(suite.profile, suite.server.url, options), await openStoreTab(suite.profile, suite.server.url, options)]
  for (const page of [one, two]) await eventually(() => page.evaluate(() => window.store.tabs.length), (tabs) => tabs === 2)
  const heard = await openTab(suite.profile, suite.server.url)
  await heard.evaluate((store) => {
    window.frameSizes = []
    new BroadcastChannel(`tabmesh:${store}`).onmessage = ({ data }) => {
      const bytes = new Uint8Array(data as ArrayBuffer)
      if (bytes[3] === 1) window.frameSizes.push(bytes.byteLength) // ops
    }
  }, options.name)
  const ms = await one.evaluate(async (count) => {
    const began = performance.now()
    for (let i = 1; i <= count; i++) {
      window.store.setState({ n: i })
      if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    return performance.now() - began
  }, writes)
  for (const page of [one, two]) await eventually(() => page.evaluate(() => window.store.getState().n as number), (n) => n === writes)
  const frames = await heard.evaluate(() => window.frameSizes.length)
  console.info(`${name}: ${writes} setState calls in ${ms.toFixed(0)} ms, ${frames} frames`)
  expect(frames, `${frames} frames in ${ms} ms`).toBeGreaterThan(0)
  expect(isPaced(frames, ms), `${frames} frames in ${ms} ms`).toBe(true)
  await Promise.all([one, two, heard].map((page) => page.close()))
})
