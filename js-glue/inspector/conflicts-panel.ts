// The inbox: what several tabs wrote without having seen each other, side by side.
import { html, nothing, type TemplateResult } from 'lit-html'
import { repeat } from 'lit-html/directives/repeat.js'
import type { Conflict, ConflictValue } from '../types.ts'
import { agoOf, tabOf } from './format.ts'
import type { PanelMaker } from './panel.ts'

interface Draft {
  text: string
  /** Why it cannot be kept as it is. */
  problem: string
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Of objects, all members, the later ones on top; of anything else, the latest. */
function merged(values: readonly ConflictValue[]): unknown {
  return values.every(({ value }) => isObject(value)) ? Object.assign({}, ...values.map(({ value }) => value)) : values.at(-1)!.value
}

const keyOf = (conflict: Conflict): string => String(conflict.path[0])
/** To be edited: a removal has no JSON. */
const textOf = (value: unknown): string => JSON.stringify(value ?? null, null, 2)
const printed = (value: unknown): string => (value === undefined ? 'removed' : JSON.stringify(value, null, 2))

export const createConflictsPanel: PanelMaker = (store, changed) => {
  /** By key: a value that joins makes another conflict of it. */
  const drafts = new Map<string, Draft>()
  let said = ''

  function choose(conflict: Conflict, value: unknown, how: string): void {
    try {
      store.conflicts.resolve(conflict.id, { value })
      drafts.delete(keyOf(conflict))
      said = `${conflict.path.join('.')}: ${how}`
    } catch (error) {
      said = (error as Error).message
    }
    changed()
  }

  function keepDraft(conflict: Conflict, draft: Draft): void {
    try {
      choose(conflict, JSON.parse(draft.text) as unknown, 'the merged value was kept.')
    } catch (error) {
      draft.problem = `This is no JSON: ${(error as Error).message}`
      changed()
    }
  }

  function card(conflict: Conflict, { value, tab, time }: ConflictValue): TemplateResult {
    const name = tabOf(store, tab)
    return html`<div class="card">
      <h3>${name} <span class="stamp">${agoOf(time)}</span></h3>
      <pre tabindex="0">${printed(value)}</pre>
      <button type="button" aria-label=${`Keep this: what ${name} wrote into ${conflict.path.join('.')}`} @click=${() => choose(conflict, value, `what ${name} wrote was kept.`)}>Keep this</button>
    </div>`
  }

  function editor(conflict: Conflict, draft: Draft): TemplateResult {
    const id = `draft-${keyOf(conflict)}`
    return html`<div class="card wide">
      <label for=${id}>Merged value of ${conflict.path.join('.')}, as JSON</label>
      <textarea id=${id} rows="6" .value=${draft.text} @input=${(event: Event) => (draft.text = (event.target as HTMLTextAreaElement).value)}></textarea>
      <p role="alert">${draft.problem}</p>
      <p>
        <button type="button" @click=${() => keepDraft(conflict, draft)}>Keep the merged value</button>
        <button type="button" @click=${() => {
          drafts.delete(keyOf(conflict))
          changed()
        }}>Cancel</button>
      </p>
    </div>`
  }

  function entry(conflict: Conflict): TemplateResult {
    const draft = drafts.get(keyOf(conflict))
    return html`<section aria-label=${`Conflict of ${conflict.path.join('.')}`}>
      <h2>${conflict.path.join('.')}</h2>
      <div class="cards">
        <div class="card base"><h3>Before</h3><pre tabindex="0">${conflict.base === undefined ? 'nothing' : printed(conflict.base)}</pre></div>
        ${conflict.values.map((value) => card(conflict, value))}
        ${draft ? editor(conflict, draft) : nothing}
      </div>
      ${draft
        ? nothing
        : html`<p><button type="button" @click=${() => {
            drafts.set(keyOf(conflict), { text: textOf(merged(conflict.values)), problem: '' })
            changed()
          }}>Merge …</button></p>`}
    </section>`
  }

  return {
    title: 'Conflicts',
    count: () => store.conflicts.list().length,
    view() {
      const list = store.conflicts.list()
      return html`
        <p role="status">${said}</p>
        ${list.length === 0 ? html`<p class="note">Nothing awaits a choice. Keys under the strategy “prompt” come here when two tabs have written them without having seen each other.</p>` : repeat(list, keyOf, entry)}
      `
    },
  }
}
