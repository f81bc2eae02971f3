// How long changes take: to the other tabs, and to the disk.
import { html, nothing, svg, type TemplateResult } from 'lit-html'
import type { DebugEvent, Latency } from '../types.ts'
import { clockOf, tabOf } from './format.ts'
import type { PanelMaker } from './panel.ts'

type Slow = Extract<DebugEvent, { type: 'slow' }>

const slowKept = 20
const [width, height] = [300, 60]

/** A bar a class; heights by the square root, that the few slow ones can be seen beside the many. */
function plot(title: string, { classes, count, p50, p95, p99, max }: Latency): TemplateResult {
  const most = Math.max(...classes.map(([, number]) => number))
  const step = width / Math.max(classes.length, 8)
  const bar = ([upTo, number]: Latency['classes'][number], i: number): TemplateResult => {
    const tall = Math.max(2, height * Math.sqrt(number / most))
    return svg`<g><title>up to ${upTo} ms: ${number}</title><rect x=${i * step + 1} y=${height - tall} width=${step - 2} height=${tall}></rect><text x=${(i + 0.5) * step} y=${height + 11}>${upTo}</text></g>`
  }
  return html`<svg viewBox="0 -2 ${width} ${height + 16}" role="img" aria-label="${title}: ${count} times; half within ${p50} ms, 95 of 100 within ${p95}, 99 of 100 within ${p99}, at most ${max}">${classes.map(bar)}</svg>`
}

function section(title: string, none: string, latency: Latency | undefined): TemplateResult {
  return html`<section>
    <h2>${title}</h2>
    ${latency
      ? html`${plot(title, latency)}
          <dl>
            <div><dt>p50</dt><dd>${latency.p50} ms</dd></div>
            <div><dt>p95</dt><dd>${latency.p95} ms</dd></div>
            <div><dt>p99</dt><dd>${latency.p99} ms</dd></div>
            <div><dt>at most</dt><dd>${latency.max} ms</dd></div>
            <div><dt>count</dt><dd>${latency.count}</dd></div>
          </dl>`
      : html`<p class="note">${none}</p>`}
  </section>`
}

export const createLatencyPanel: PanelMaker = (store, changed) => {
  let slow: Slow[] = []
  return {
    title: 'Latency',
    watch: () =>
      store.on('debug', (event) => {
        if (event.type !== 'slow') return
        slow = [event, ...slow].slice(0, slowKept)
        changed()
      }),
    view() {
      const { seen, stored } = store.stats()
      const unseen = store.status.clockSkewMs > 0 ? `The times of writes are ${store.status.clockSkewMs} ms ahead of this device's clock: what others write cannot be timed.` : 'No other tab has written yet.'
      return html`
        <div class="halves">
          ${section('Written there, seen here', unseen, seen)}
          ${section('Written here, durable', 'Nothing of this tab has been stored yet.', stored)}
        </div>
        ${slow.length === 0
          ? nothing
          : html`<table>
              <caption>Changes that were slow</caption>
              <thead><tr><th scope="col">Time</th><th scope="col">From</th><th scope="col" class="number">Took</th></tr></thead>
              <tbody>${slow.map(({ at, from, ms }) => html`<tr><td class="time">${clockOf(at)}</td><td>${tabOf(store, from)}</td><td class="number">${ms} ms</td></tr>`)}</tbody>
            </table>`}
      `
    },
  }
}
