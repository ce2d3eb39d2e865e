/** Asks at a terminal before something is done. A script has nobody to ask: it says beforehand that it means it. */
import { createInterface } from 'node:readline/promises'
import { usage } from './failure.ts'
import type { Shell } from './shell.ts'

/** Throws unless the answer is yes; at once where there is no terminal. */
export async function confirm(
  question: string,
  { stdin, stderr }: Pick<Shell, 'stdin' | 'stderr'>,
): Promise<void> {
  if (!stdin.isTTY) throw usage('confirmation needs a terminal: use --yes')
  const lines = createInterface({ input: stdin, output: stderr })
  const { promise: left, resolve: leave } = Promise.withResolvers<string>()
  lines.once('SIGINT', () => leave(''))
  lines.once('close', () => leave(''))
  try {
    const answer = await Promise.race([lines.question(`${question} [y/N] `), left])
    if (!/^y(es)?$/i.test(answer.trim())) throw usage('nothing was changed')
  } finally {
    lines.close()
  }
}
