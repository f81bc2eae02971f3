// The shape of the repository: imports point one way, the module asks its host for nothing it should not have.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = new URL('../../', import.meta.url).pathname
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' }).trim().split('\n')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

describe('wasm/', () => {
  const layers = ['base', 'compute', 'json', 'lz', 'crdt', 'wire', 'journal', 'replica', 'bindings']
  const sources = files.filter((file) => /^wasm\/.*\.(cc|h)$/.test(file))

  test('a folder includes only itself and folders above it', () => {
    const wrong = sources.flatMap((file) => {
      const layer = layers.indexOf(file.split('/')[1]!)
      return [...read(file).matchAll(/^#include "([^"/]+)\//gm)].filter(([, folder]) => layers.indexOf(folder!) > layer).map(([line]) => `${file}: ${line}`)
    })
    expect(wrong).toEqual([])
    expect(sources.length).toBeGreaterThan(30)
  })

  test('only bindings/ knows Emscripten, only json/parse.cc knows simdjson', () => {
    const including = (pattern: RegExp): string[] => sources.filter((file) => pattern.test(read(file)))
    expect(including(/#include <emscripten/)).toEqual(['wasm/bindings/bindings.cc'])
    expect(including(/#include "simdjson/)).toEqual(['wasm/json/parse.cc'])
  })

  test('the core has no clock, no chance, no files and no threads', () => {
    const forbidden = /#include <(chrono|random|ctime|time\.h|fstream|iostream|filesystem|thread|mutex|atomic)>|\b(rand|time|getenv)\(/
    expect(sources.filter((file) => !file.startsWith('wasm/bindings/') && forbidden.test(read(file)))).toEqual([])
  })
})

describe('js-glue/', () => {
  const sources = files.filter((file) => /^js-glue\/.*\.ts$/.test(file))
  const imports = (file: string): string[] => [...read(file).matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, path]) => normalize(join(dirname(file), path!)))

  test('platform/ is imported by the composition roots alone, and imports nothing but interfaces and errors', () => {
    const roots = [['js-glue/browser-engine.ts', ['js-glue/platform/browser.ts']], ['js-glue/page.ts', ['js-glue/platform/local-storage.ts']], ['js-glue/node.ts', ['js-glue/platform/node.ts']], ['js-glue/testing.ts', ['js-glue/platform/memory.ts']], ['js-glue/relay/device.ts', ['js-glue/platform/web-socket.ts']]]
    for (const file of sources) {
      const platforms = imports(file).filter((path) => path.startsWith('js-glue/platform/'))
      if (platforms.length > 0 && !file.startsWith('js-glue/platform/')) expect(roots).toContainEqual([file, platforms])
      if (file.startsWith('js-glue/platform/')) {
        expect(imports(file).filter((path) => !path.startsWith('js-glue/platform/') && !['js-glue/bytes.ts', 'js-glue/platform.ts', 'js-glue/errors.ts'].includes(path)), file).toEqual([])
      }
    }
  })

  test('generated/ is imported by core.ts, and for its types by those who read its memory', () => {
    expect(sources.filter((file) => imports(file).some((path) => path.startsWith('js-glue/generated/'))).sort()).toEqual(['js-glue/compute/module.ts', 'js-glue/core.ts', 'js-glue/lz.ts', 'js-glue/memory.ts'])
  })

  test('no import goes round in a circle', () => {
    const seen = new Map<string, 'open' | 'done'>()
    const visit = (file: string, trail: string[]): void => {
      if (seen.get(file) === 'done' || !sources.includes(file)) return
      expect(seen.get(file), [...trail, file].join(' -> ')).toBeUndefined()
      seen.set(file, 'open')
      for (const next of imports(file)) visit(next, [...trail, file])
      seen.set(file, 'done')
    }
    for (const file of sources) visit(file, [])
  })

  test('inside an IndexedDB transaction nothing is awaited but its end', () => {
    const text = read('js-glue/platform/indexed-db.ts')
    for (const [, body] of text.matchAll(/= transact\(([\s\S]*?)(?:transaction\.commit\(\)|await done)/g)) expect(body).not.toMatch(/await (?!done)/)
  })
})

describe('the linked module', () => {
  test('imports what the golden list says: no clock, no entropy, no file system, no eval', () => {
    // The loader names what the optimiser has shortened. Rewrite with TABMESH_REWRITE_GOLDEN=1.
    const loader = read('js-glue/generated/tabmesh.mjs')
    const names = /wasmImports=\{([^}]*)\}/.exec(loader)![1]!.split(',').map((pair) => pair.split(':')[1]!).sort()
    const golden = join(root, 'tests/golden/wasm-imports.txt')
    if (process.env.TABMESH_REWRITE_GOLDEN) writeFileSync(golden, names.join('\n') + '\n')
    expect(names).toEqual(readFileSync(golden, 'utf8').trim().split('\n'))
    expect(names.filter((name) => /clock|time_get|random|getentropy|fd_|path_|dlopen/.test(name))).toEqual([])
    expect(loader).not.toMatch(/\beval\(|new Function\(|node:/)
  })
})

describe('the repository', () => {
  test('holds what it is meant to, and nothing that tools leave behind', () => {
    const meant = ['.ci', '.clang-format', '.editorconfig', '.gitignore', 'AGENTS.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'CMakeLists.txt', 'CMakePresets.json', 'CONTRIBUTING.md', 'LICENSE', 'README.md', 'docs', 'emsdk-version.txt', 'eslint.config.js', 'js-glue', 'package-lock.json', 'package.json', 'scripts', 'tests', 'tsconfig.json', 'tsconfig.package.json', 'vitest.config.ts', 'wasm', 'web']
    expect([...new Set(files.map((file) => file.split('/')[0]!))].filter((name) => !meant.includes(name))).toEqual([])
  })

  test('has one licence, pins its dependencies, and names no registry', () => {
    const { devDependencies, dependencies } = JSON.parse(read('package.json')) as { devDependencies: Record<string, string>; dependencies?: Record<string, string> }
    for (const [name, version] of Object.entries({ ...devDependencies, ...dependencies })) expect(version, name).toMatch(/^\d/)
    expect(read('package-lock.json')).not.toMatch(/"resolved": "http/)
    expect(read('LICENSE')).toContain('MIT License')
  })
})
