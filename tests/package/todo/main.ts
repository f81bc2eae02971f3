import { store } from './after.ts'

declare global {
  interface Window {
    app: typeof store
  }
}

const list = document.querySelector('ul')!

function render(): void {
  const { todos, toggle } = store.getState()
  list.replaceChildren(
    ...Object.entries(todos).map(([id, { title, done }]) => {
      const item = document.createElement('li')
      item.textContent = `${done ? '☑' : '☐'} ${title}`
      item.onclick = () => toggle(id)
      return item
    }),
  )
}

store.subscribe(render)
document.querySelector('form')!.onsubmit = (event) => {
  event.preventDefault()
  const field = document.querySelector('input')!
  store.getState().add(field.value)
  field.value = ''
}
render()
window.app = store
