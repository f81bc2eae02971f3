/** The module, compressed by gzip, in base64: made by the build. */
declare module 'tabmesh.wasm.gz' {
  const packed: string
  export default packed
}
