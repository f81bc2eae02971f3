// The element's definition, evaluated when it is asked for: its templates need a document.

/**
 * Defines the element `<tabmesh-inspector>`, or one of another name; its property `store`, which may be set before, is the store that it shows. It only reads: what it writes are choices between
 * conflicts, and it takes the lead, when its buttons are pressed. Light or dark as the page's `color-scheme`. Needs a document; safe twice.
 */
export async function defineInspector(name = 'tabmesh-inspector'): Promise<void> {
  const { define } = await import('./element.ts')
  define(name)
}
