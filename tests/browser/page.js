import * as tabmesh from '/dist/index.js'

globalThis.tabmesh = tabmesh
