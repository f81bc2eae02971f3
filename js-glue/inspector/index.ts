// The public names of `tabmesh/inspector`: an element that shows a store at work, and the Redux DevTools.
export { defineInspector } from './define.ts'
export { connectDevTools, type DevToolsOptions } from './devtools.ts'
export type { InspectorElement } from './element.ts'
