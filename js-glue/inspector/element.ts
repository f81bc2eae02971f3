// <tabmesh-inspector>: chooses a panel, and shows it anew when something has changed.
import { html, nothing, render, type TemplateResult } from 'lit-html'
import type { State, Store } from '../types.ts'
import { createConflictsPanel } from './conflicts-panel.ts'
import { createFramesPanel } from './frames-panel.ts'
import { createLatencyPanel } from './latency-panel.ts'
import type { AnyStore, Panel } from './panel.ts'
import { createStatePanel } from './state-panel.ts'
import { createStoragePanel } from './storage-panel.ts'
import { style } from './style.ts'
import { createTabsPanel } from './tabs-panel.ts'

const makers = [createTabsPanel, createStatePanel, createFramesPanel, createConflictsPanel, createStoragePanel, createLatencyPanel]
/** Between two views: a stream of frames must not take the page's time. */
const viewEveryMs = 100
/** How long ago something was changes by itself. */
const agoEveryMs = 1000

export interface InspectorElement extends HTMLElement {
  /** What it shows; another one may be set later. */
  store: Store<State> | undefined
}

declare global {
  interface HTMLElementTagNameMap {
    'tabmesh-inspector': InspectorElement
  }
}

export function define(name: string): void {
  if (customElements.get(name)) return

  class Inspector extends HTMLElement implements InspectorElement {
    #store: AnyStore | undefined
    #panels: readonly Panel[] = []
    #open = 0
    #undo: (() => void)[] = []
    #timer: ReturnType<typeof setTimeout> | undefined
    readonly #root = this.attachShadow({ mode: 'open' })

    constructor() {
      super()
      const sheet = new CSSStyleSheet() // no style element: a Content-Security-Policy may forbid those
      sheet.replaceSync(style)
      this.#root.adoptedStyleSheets = [sheet]
    }

    get store(): AnyStore | undefined {
      return this.#store
    }
    set store(store: AnyStore | undefined) {
      if (store === this.#store) return
      this.#leave()
      this.#store = store
      this.#panels = store
        ? makers.map((make, i) =>
            make(store, () => {
              if (i === this.#open) this.#later()
            }),
          )
        : []
      if (this.isConnected) this.#enter()
    }

    connectedCallback(): void {
      // Set before the element was defined.
      if (Object.hasOwn(this, 'store')) {
        const { store } = this
        delete (this as { store?: unknown }).store
        this.store = store
      }
      this.#enter()
    }
    disconnectedCallback(): void {
      this.#leave()
    }

    #enter(): void {
      this.#leave()
      const store = this.#store
      if (store) {
        const changed = (): void => this.#later()
        for (const { watch } of this.#panels) if (watch) this.#undo.push(watch())
        for (const event of ['tabs', 'leader', 'status', 'conflict'] as const) this.#undo.push(store.on(event, changed))
        this.#undo.push(store.subscribe(changed))
        void store.ready.then(changed, changed)
        const ago = setInterval(changed, agoEveryMs)
        this.#undo.push(() => clearInterval(ago))
      }
      this.#show()
    }
    #leave(): void {
      clearTimeout(this.#timer)
      this.#timer = undefined
      for (const undo of this.#undo.splice(0)) undo()
    }

    #later(): void {
      if (!this.isConnected) return
      this.#timer ??= setTimeout(() => this.#show(), viewEveryMs)
    }

    #viewOf(panel: Panel): TemplateResult {
      try {
        return panel.view()
      } catch (error) {
        return html`<p role="alert">This panel cannot be shown: ${(error as Error).message}</p>`
      }
    }

    #choose(index: number, focus = false): void {
      this.#open = (index + this.#panels.length) % this.#panels.length
      this.#show()
      if (focus) this.#root.querySelector<HTMLElement>('[role=tab][aria-selected=true]')?.focus()
    }

    #moved(event: KeyboardEvent): void {
      const to = { ArrowRight: this.#open + 1, ArrowLeft: this.#open - 1, Home: 0, End: -1 }[event.key]
      if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return
      event.preventDefault()
      this.#choose(to, true)
    }

    #show(): void {
      clearTimeout(this.#timer)
      this.#timer = undefined
      const focused = this.#root.activeElement
      const panel = this.#panels[this.#open]
      const tab = ({ title, count }: Panel, i: number): unknown => html`<button type="button" role="tab" id="tab-${i}" aria-controls="panel" aria-selected=${i === this.#open} tabindex=${i === this.#open ? 0 : -1} @click=${() => this.#choose(i)}>${title}${count && count() > 0 ? html` <span class="count">${count()}</span>` : nothing}</button>`
      render(
        html`
          ${panel
            ? html`
                <header><strong>tabmesh</strong> <span>${this.#store!.tab.label}</span></header>
                <div role="tablist" aria-label="What of the store is shown" @keydown=${(event: KeyboardEvent) => this.#moved(event)}>${this.#panels.map(tab)}</div>
                <div role="tabpanel" id="panel" aria-labelledby="tab-${this.#open}" tabindex="0">${this.#viewOf(panel)}</div>
              `
            : html`<p class="note">No store is shown: set this element's property “store”.</p>`}
        `,
        this.#root,
      )
      // What was pressed is gone now, or disabled: the panel is where one goes on.
      if (focused && (!focused.isConnected || focused.matches(':disabled'))) this.#root.querySelector<HTMLElement>('[role=tabpanel]')?.focus()
    }
  }

  customElements.define(name, Inspector)
}
