// One of the inspector's panels.
import type { TemplateResult } from 'lit-html'
import type { State, Store } from '../types.ts'

/** Any store: what is in its state the inspector only shows. */
export type AnyStore = Store<State>

export interface Panel {
  readonly title: string
  /** Beside the title, where there is something to look at. */
  readonly count?: () => number
  readonly view: () => TemplateResult
  /** What it does while the inspector is in the page; returns the undo. */
  readonly watch?: () => () => void
}

/** Makes a panel; `changed` asks for another view of it, if it is the one that is shown. */
export type PanelMaker = (store: AnyStore, changed: () => void) => Panel
