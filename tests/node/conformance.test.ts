// The memory twin keeps what the browsers' own parts are held to.
import { describe, test } from 'vitest'
import { createMemoryOrigin } from '../../js-glue/platform/memory.ts'
import { channelKinds } from '../../js-glue/platform.ts'
import { channelCases } from '../conformance/channel.ts'
import { journalCases } from '../conformance/journal.ts'
import { lockCases } from '../conformance/lock.ts'
import { recordCases } from '../conformance/records.ts'
import type { Case } from '../conformance/surroundings.ts'
import { packer } from './mesh.ts'

const suites: readonly (readonly [string, readonly Case[]])[] = [...channelKinds.map((kind) => [kind, channelCases(kind, packer)] as const), ['journal', journalCases], ['lock', lockCases], ['records', recordCases]]

describe.each(suites)('twin of %s', (_, cases) => {
  test.each(cases.map((one) => [one.name, one] as const))('%s', async (_, { run }) => {
    const origin = createMemoryOrigin()
    await run({ openTab: () => Promise.resolve(origin.openTab()) })
  })
})
