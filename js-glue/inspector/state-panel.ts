// The state as a tree, with who wrote what last.
import { html, nothing, type TemplateResult } from 'lit-html'
import type { Inspection } from '../types.ts'
import { agoOf, briefOf, tabOf } from './format.ts'
import type { PanelMaker } from './panel.ts'

/** Members shown at first, and more at each asking. */
const shownAtOnce = 100

type Keys = readonly (string | number)[]

function isOpenable(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  for (const _ in value) return true
  return false
}

export const createStatePanel: PanelMaker = (store, changed) => {
  const open = new Set<string>()
  const shown = new Map<string, number>()
  /** Of places, while the state is the same: to ask for one goes through all that is below it. */
  const writers = new Map<string, ReturnType<Inspection['lastWriteOf']>>()
  let version = -1

  function lastWriteOf(path: Keys): ReturnType<Inspection['lastWriteOf']> {
    if (version !== store.version) writers.clear()
    version = store.version
    const id = JSON.stringify(path)
    if (!writers.has(id)) writers.set(id, store.inspect().lastWriteOf(path))
    return writers.get(id)
  }

  function stampOf(path: Keys): TemplateResult | typeof nothing {
    try {
      const last = lastWriteOf(path)
      return last ? html`<span class="stamp" title=${new Date(last.time).toISOString()}>${tabOf(store, last.tab)}, ${agoOf(last.time)}</span>` : nothing
    } catch {
      return nothing // no core yet, or a key that it does not take
    }
  }

  function member(path: Keys, value: unknown): TemplateResult {
    const key = path.at(-1)!
    if (!isOpenable(value)) {
      return html`<li><span class="key">${key}</span> <code class=${value === null ? 'null' : typeof value}>${briefOf(value)}</code> ${stampOf(path)}</li>`
    }
    const id = JSON.stringify(path)
    const isOpen = open.has(id)
    const toggled = (event: Event): void => {
      if ((event.target as HTMLDetailsElement).open === open.has(id)) return
      if (!open.delete(id)) open.add(id)
      changed()
    }
    return html`<li>
      <details ?open=${isOpen} @toggle=${toggled}>
        <summary><span class="key">${key}</span> <span class="size">${Array.isArray(value) ? `[${value.length}]` : `{${Object.keys(value).length}}`}</span> ${stampOf(path)}</summary>
        ${isOpen ? members(path, value) : nothing}
      </details>
    </li>`
  }

  function members(path: Keys, value: object): TemplateResult {
    const id = JSON.stringify(path)
    const entries: [string | number, unknown][] = Array.isArray(value) ? [...(value as unknown[]).entries()] : Object.entries(value)
    const count = shown.get(id) ?? shownAtOnce
    const more = (): void => {
      shown.set(id, count + shownAtOnce)
      changed()
    }
    return html`<ul>
      ${entries.slice(0, count).map(([key, part]) => member([...path, key], part))}
      ${entries.length > count ? html`<li><button type="button" @click=${more}>Show more of ${entries.length - count}</button></li>` : nothing}
    </ul>`
  }

  return {
    title: 'State',
    view: () => html`
      <p class="note">Version ${store.version}. Beside a value: the tab that wrote there last. Nothing stands beside the initial state, and beside what never leaves this tab.</p>
      <div class="tree">${members([], store.getState())}</div>
    `,
  }
}
