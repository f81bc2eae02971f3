// Where the state is kept, and how much of it.
import { html, nothing } from 'lit-html'
import type { Layer } from '../types.ts'
import { bytesOf } from './format.ts'
import type { PanelMaker } from './panel.ts'

/** Reads all of the journal. */
const lookEveryMs = 30_000

const titles: Record<Layer['name'], string> = { memory: 'Memory of the module', 'hot-copy': 'Hot copy, in localStorage', 'indexed-db': 'Journal, in IndexedDB', file: 'Journal, in files' }

export const createStoragePanel: PanelMaker = (store, changed) => {
  let layers: readonly Layer[] = []
  let quota: StorageEstimate = {}
  let lookedAt = -Infinity
  let isLooking = false
  let outcome = ''

  async function look(): Promise<void> {
    isLooking = true
    try {
      layers = await store.inspect().layers()
      quota = (await navigator.storage?.estimate?.()) ?? {}
    } catch {
      // the core is not loaded, or the database does not answer: the next look
    }
    lookedAt = performance.now()
    isLooking = false
    changed()
  }

  async function mend(): Promise<void> {
    try {
      const { mended } = await store.inspect().syncNow()
      outcome = mended.length === 0 ? 'Nothing was amiss.' : `Mended: ${mended.map((name) => titles[name]).join('; ')}.`
    } catch (error) {
      outcome = (error as Error).message
    }
    await look()
  }

  return {
    title: 'Storage',
    view() {
      if (!isLooking && performance.now() - lookedAt > lookEveryMs) void look()
      const { persistence, pendingDurable, safeToClose, readOnly, clockSkewMs } = store.status
      return html`
        <dl>
          <div><dt>Kept in</dt><dd>${persistence}</dd></div>
          <div><dt>Not stored yet</dt><dd>${pendingDurable}</dd></div>
          <div><dt>Safe to close</dt><dd>${safeToClose ? 'yes' : 'no'}</dd></div>
          <div><dt>Era</dt><dd>${store.stats().era}</dd></div>
          ${readOnly ? html`<div><dt>Read only</dt><dd>a newer version of the app has the data</dd></div>` : nothing}
          ${clockSkewMs > 0 ? html`<div><dt>Times are ahead by</dt><dd>${clockSkewMs} ms</dd></div>` : nothing}
          ${quota.quota ? html`<div><dt>Origin uses</dt><dd>${bytesOf(quota.usage ?? 0)} of ${bytesOf(quota.quota)}</dd></div>` : nothing}
        </dl>
          <table>
            <caption>Layers, the fastest first</caption>
            <thead><tr><th scope="col">Layer</th><th scope="col">Made of</th><th scope="col" class="number">Differences</th><th scope="col" class="number">Size</th></tr></thead>
            <tbody>
              ${layers.map(
                ({ name, bytes, checkpoints, records, differences }) => html`<tr>
                  <th scope="row">${titles[name]}</th>
                  <td>${records === undefined ? nothing : `${checkpoints} ${checkpoints === 1 ? 'checkpoint' : 'checkpoints'}, ${records} ${records === 1 ? 'record' : 'records'}`}</td>
                  <td class="number">${differences}</td>
                  <td class="number">${bytesOf(bytes)}</td>
                </tr>`,
              )}
            </tbody>
          </table>
        <p>
          <button type="button" @click=${() => void look()}>Look again</button>
          <button type="button" @click=${() => void mend()}>Bring all to the same</button>
          <span role="status">${outcome}</span>
        </p>
      `
    },
  }
}
