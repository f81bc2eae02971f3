import { defineConfig } from 'vitest/config'

/** Chromium's own suites reach into its processes and caches; folders `every` run in every browser. */
const every = (process.env.TABMESH_BROWSER ?? 'chromium') === 'chromium' ? '' : 'every/'
/** Browser suites that do not go by the clock: they may run beside others. */
const calm = ['inspector', 'examples', 'demo', 'offline', 'react', 'every/demo', 'every/probes', 'every/conformance', 'every/guarded', 'every/versions', 'every/relay'].filter((name) => name.startsWith(every)).map((name) => `tests/browser/${name}.test.ts`)
const timeouts = { testTimeout: 120_000, hookTimeout: 120_000 }

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'node', include: ['tests/node/**/*.test.ts', 'tests/tidy/**/*.test.ts'], ...timeouts } },
      { test: { name: 'package', include: ['tests/package/**/*.test.ts'], ...timeouts } },
      { test: { name: 'smoke', include: ['tests/smoke/**/*.test.ts'], testTimeout: 300_000, hookTimeout: 120_000 } },
      // One browser at a time: timing of the machine is part of what is shown.
      { test: { name: 'browser', include: [`tests/browser/${every}**/*.test.ts`], exclude: ['tests/browser/endurance/**', ...calm], fileParallelism: false, ...timeouts } },
      { test: { name: 'calm', include: calm, ...timeouts } },
      { test: { name: 'endurance', include: [`tests/browser/endurance/${every}**/*.test.ts`], fileParallelism: false, testTimeout: 3_600_000, hookTimeout: 120_000 } },
    ],
  },
})
