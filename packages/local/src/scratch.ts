/** For tests of this package: a ground in a temporary directory, and children that run a script. */
import type { TestContext } from 'node:test'
import type { Ground } from './ground.ts'
import { node } from './paths.ts'
import { LocalProcess, type ProcessSpec } from './process.ts'
import { temporaryDirectory } from './temporary-directory.ts'

export const scratchGround = (): Ground => ({ directory: temporaryDirectory('local'), account: undefined })

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
