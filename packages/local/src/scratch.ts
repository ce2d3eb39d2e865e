/** For tests: a directory that goes away with the test, and children that are as simple as children can be. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Ground } from './ground.ts'
import { node } from './paths.ts'
import { LocalProcess, type ProcessSpec } from './process.ts'

export function scratchGround(t: TestContext): Ground {
  const directory = mkdtempSync(join(tmpdir(), 'imapfleet-local-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return { directory, account: undefined }
}

/** Runs a script in Node; stopped with the test. */
export function scratchProcess(
  t: TestContext,
  ground: Ground,
  script: string,
  options: Partial<ProcessSpec> = {},
): LocalProcess {
  const child = new LocalProcess({
    name: 'child',
    command: node,
    args: ['-e', script],
    ground,
    isReady: async () => true,
    ...options,
  })
  t.after(() => child.kill())
  return child
}
