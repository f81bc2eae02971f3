// A few lines in place of a framework: elements from a tag, properties and children.

type Child = Node | string | false | undefined

export function h<K extends keyof HTMLElementTagNameMap>(tag: K, properties: Record<string, string | number | boolean | ((event: Event) => void) | undefined> = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value as (event: Event) => void)
    else if (name in element && name !== 'style') Reflect.set(element, name, value)
    else if (value !== false && value !== undefined) element.setAttribute(name, String(value))
  }
  element.append(...children.filter((child): child is Node | string => child !== false && child !== undefined))
  return element
}

export function byId(id: string): HTMLElement {
  return document.getElementById(id)!
}

/** Replaces what is in a place, keeping the focus on the element with the same data-key. */
export function replaceIn(place: Element, ...children: Child[]): void {
  const key = place.contains(document.activeElement) ? document.activeElement?.getAttribute('data-key') : undefined
  place.replaceChildren(...children.filter((child): child is Node | string => child !== false && child !== undefined))
  if (key) place.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.focus()
}
