import { defineConfig } from 'vite'

// The demo imports `tabmesh` by its name, from dist/, as an app would from node_modules.
export default defineConfig({
  base: './',
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2022', chunkSizeWarningLimit: 800 }, // three.js, loaded by one view alone
  // Vite's pre-bundling moves JavaScript away from the files beside it: https://github.com/vitejs/vite/issues/8427
  optimizeDeps: { exclude: ['tabmesh'] },
  server: { fs: { allow: ['..'] } },
})
