// Votes that add up, whoever votes where: counters, a keyed list, and who is here.
import { createStore } from 'tabmesh'

interface Votes {
  places: { id: string; title: string }[]
  /** By place. */
  votes: Record<string, number>
}

const store = createStore<Votes>({
  name: 'votes',
  state: {
    places: [
      { id: 'noodles', title: 'Noodles' },
      { id: 'falafel', title: 'Falafel' },
    ],
    votes: {},
  },
  lists: { places: 'id' }, // two tabs may add a place at the same time
})
Object.assign(window, { store })

const find = <E extends Element>(selector: string): E => document.querySelector<E>(selector)!
const list = find<HTMLUListElement>('#places')

function show(): void {
  const { places, votes } = store.getState()
  const most = Math.max(1, ...Object.values(votes))
  for (const { id, title } of places) {
    const item = list.querySelector<HTMLLIElement>(`[data-id="${CSS.escape(id)}"]`) ?? list.appendChild(itemOf(id, title))
    const count = votes[id] ?? 0
    item.querySelector('output')!.value = String(count)
    item.style.setProperty('--part', `${(100 * count) / most}%`)
  }
  const [here, leader] = [store.tabs.length, store.leader.isLeader]
  find('#who').textContent = here === 0 ? '' : `${here === 1 ? 'Only this tab is' : `${here} tabs are`} here${leader ? '; this one leads' : ''}.`
}

function itemOf(id: string, title: string): HTMLLIElement {
  const item = document.createElement('li')
  item.dataset.id = id
  const name = document.createElement('span')
  name.textContent = title
  const button = document.createElement('button')
  button.textContent = 'Vote'
  button.ariaLabel = `Vote for ${title}`
  button.onclick = () => store.increment(['votes', id])
  item.append(name, document.createElement('output'), button)
  return item
}

find<HTMLFormElement>('#add').onsubmit = (event) => {
  event.preventDefault()
  const form = event.target as HTMLFormElement
  const title = (new FormData(form).get('place') as string).trim()
  if (title === '') return
  store.setState(({ places }) => ({ places: [...places, { id: crypto.randomUUID(), title }] }))
  form.reset()
}

store.subscribe(show)
store.on('tabs', show)
store.on('leader', show)
store.on('remote-update', ({ keys, source }) => {
  const from = store.tabs.find(({ id }) => id === source)?.label ?? 'another tab'
  find('#toast').textContent = keys.includes('votes') ? `A vote from ${from}.` : `A new place from ${from}.`
})
show()
