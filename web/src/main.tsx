// The demo: views of one store, each with an address of its own; and frames with stores of theirs.
const { start } = await (location.hash.startsWith('#/replica/') ? import('./conflicts/replica.tsx') : import('./start.tsx'))
start()

export {}
