// The public names of `tabmesh`.
export { createStore, openStore } from './create-store.ts'
export * from './names.ts'
