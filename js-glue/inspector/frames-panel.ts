// What the store sends, hears and stores.
import { html, nothing } from 'lit-html'
import type { DebugEvent } from '../types.ts'
import { bytesOf, clockOf, tabOf } from './format.ts'
import type { PanelMaker } from './panel.ts'

/** Events kept, and rows shown. */
const kept = 2000
const rows = 100

const kinds = ['all', 'in', 'out', 'stored', 'slow'] as const
type Kind = (typeof kinds)[number]

const kindOf = (event: DebugEvent): Exclude<Kind, 'all'> => (event.type === 'frame' ? event.direction : event.type === 'journal' ? 'stored' : 'slow')

export const createFramesPanel: PanelMaker = (store, changed) => {
  let log: DebugEvent[] = []
  let paused: readonly DebugEvent[] | undefined
  let kind: Kind = 'all'
  let wanted = ''

  const textOf = (event: DebugEvent): string => {
    if (event.type === 'frame') return event.kind
    if (event.type === 'journal') return event.records === 1 ? '1 record' : `${event.records} records`
    return `${event.ms} ms from ${tabOf(store, event.from)}`
  }
  const isWanted = (event: DebugEvent): boolean => (kind === 'all' || kindOf(event) === kind) && textOf(event).toLowerCase().includes(wanted.toLowerCase())

  const arrows = { in: '← in', out: '→ out', stored: '↓ stored', slow: '! slow' }

  return {
    title: 'Frames',
    watch: () =>
      store.on('debug', (event) => {
        log.push(event)
        if (log.length > 2 * kept) log = log.slice(-kept)
        if (!paused) changed()
      }),
    view() {
      const { framesIn, framesOut, bytesIn, bytesOut, dropped, gaps, divergences } = store.stats()
      const matching = (paused ?? log).filter(isWanted)
      return html`
        <dl>
          <div><dt>In</dt><dd>${framesIn}, ${bytesOf(bytesIn)}</dd></div>
          <div><dt>Out</dt><dd>${framesOut}, ${bytesOf(bytesOut)}</dd></div>
          <div><dt>Dropped</dt><dd>${dropped}</dd></div>
          <div><dt>Gaps</dt><dd>${gaps}</dd></div>
          <div><dt>Divergences</dt><dd>${divergences}</dd></div>
        </dl>
        <form class="bar" @submit=${(event: Event) => event.preventDefault()}>
          <label>Show
            <select @change=${(event: Event) => {
              kind = (event.target as HTMLSelectElement).value as Kind
              changed()
            }}>${kinds.map((each) => html`<option value=${each} ?selected=${each === kind}>${each}</option>`)}</select>
          </label>
          <label>Containing
            <input type="search" size="10" .value=${wanted} @input=${(event: Event) => {
              wanted = (event.target as HTMLInputElement).value
              changed()
            }}>
          </label>
          <button type="button" aria-pressed=${paused !== undefined} @click=${() => {
            paused = paused ? undefined : [...log]
            changed()
          }}>Pause</button>
          <button type="button" @click=${() => {
            log = []
            if (paused) paused = []
            changed()
          }}>Clear</button>
        </form>
          <table>
            <caption>${matching.length > rows ? `The newest ${rows} of ${matching.length}` : `${matching.length} since the inspector is open`}${paused ? ', paused' : ''}</caption>
            <thead><tr><th scope="col">Time</th><th scope="col">Way</th><th scope="col">What</th><th scope="col" class="number">Bytes</th></tr></thead>
            <tbody>
              ${matching.slice(-rows).reverse().map(
                (event) => html`<tr class=${kindOf(event)}>
                  <td class="time">${clockOf(event.at)}</td><td>${arrows[kindOf(event)]}</td><td>${textOf(event)}</td><td class="number">${'bytes' in event ? event.bytes : nothing}</td>
                </tr>`,
              )}
            </tbody>
          </table>
      `
    },
  }
}
