// The public names of `tabmesh/redux`.
import { createStore } from '../create-store.ts'
import { enhancerOn, type TabmeshEnhancer } from './enhancer.ts'

export { remoteType } from './enhancer.ts'
export type { EnhancerOptions, TabmeshEnhancer, WithTabmesh } from './enhancer.ts'

/**
 * The enhancer: `createStore(reducer, tabmesh({ name: 'board' }))`, or with Redux Toolkit `enhancers: (defaults) => defaults().concat(tabmesh({ name: 'board' }))`. The top-level keys of
 * the state are shared by path, as far as `include` and `exclude` let them; the reducer, its actions and middleware stay as they are. Time travel of the DevTools is not shared. Throws
 * TypeError where the state is no object, or the name none.
 */
export const tabmesh: TabmeshEnhancer = enhancerOn(createStore)
