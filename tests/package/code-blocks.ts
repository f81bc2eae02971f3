// The code blocks of README and docs/: what they show is compiled and run.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../browser/harness.ts'

export interface CodeBlock {
  /** Of its file, and its place there: `docs-concepts-conflicts-0`. */
  readonly name: string
  readonly language: 'ts' | 'js'
  /** With what a comment `<!-- given: … -->` before it takes for granted. */
  readonly code: string
  /** What it prints: the comments behind its calls of console.log. */
  readonly printed: readonly string[]
}

export function codeBlocks(): CodeBlock[] {
  const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.md') && !file.includes('node_modules'))
  return ['README.md', ...pages.sort().map((file) => `docs/${file}`)].flatMap((file) => {
    const found = readFileSync(join(root, file), 'utf8').matchAll(/(?:<!-- given:([\s\S]*?)-->\n)?```(ts|js)\n([\s\S]*?)```/g)
    return [...found].map(([, given = '', language, code], i): CodeBlock => ({
      name: `${file.replace(/\.md$/, '').replaceAll('/', '-')}-${i}`,
      language: language as 'ts' | 'js',
      code: given === '' ? code! : `${given.trim()}\n${code!}`,
      printed: [...code!.matchAll(/console\.log\(.*\) \/\/ (.+)$/gm)].map(([, text]) => text!),
    }))
  })
}
