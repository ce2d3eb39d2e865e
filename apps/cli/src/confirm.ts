/** Asks for confirmation at a terminal. Scripts confirm with an option. */
import { createInterface } from 'node:readline/promises'
import { usage } from './failure.ts'
import type { Shell } from './shell.ts'

/** Throws unless the answer is yes; immediately without a terminal. */
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
