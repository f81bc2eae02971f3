// A list and a field, on any store.
export interface App {
  todos: () => Record<string, { title: string; done: boolean }>
  subscribe: (listener: () => void) => unknown
  add: (title: string) => void
  toggle: (id: string) => void
}

declare global {
  interface Window {
    app: App
  }
}

export function show(app: App): void {
  const list = document.querySelector('ul')!

  function render(): void {
    list.replaceChildren(
      ...Object.entries(app.todos()).map(([id, { title, done }]) => {
        const item = document.createElement('li')
        item.textContent = `${done ? '☑' : '☐'} ${title}`
        item.onclick = () => app.toggle(id)
        return item
      }),
    )
  }

  app.subscribe(render)
  document.querySelector('form')!.onsubmit = (event) => {
    event.preventDefault()
    const field = document.querySelector('input')!
    app.add(field.value)
    field.value = ''
  }
  render()
  window.app = app
}
