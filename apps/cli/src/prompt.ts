/** Asks at the terminal: for a confirmation, or for a secret, which may also come from a pipe. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { safe } from '@imapfleet/api'
import { Failure, usage } from './failure.ts'
import type { Shell } from './shell.ts'

/** Throws unless the answer is yes; immediately without a terminal. The question is printed on one line. */
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
    const answer = await Promise.race([lines.question(`${safe(question)} [y/N] `), left])
    if (!/^y(es)?$/i.test(answer.trim())) throw usage('nothing was changed')
  } finally {
    lines.close()
  }
}

export async function readSecret(
  prompt: string,
  stdin: NodeJS.ReadStream,
  stderr: NodeJS.WriteStream,
): Promise<string> {
  // readline echoes to its output, which discards it here.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: stdin, output: nowhere, terminal: stdin.isTTY })
  if (stdin.isTTY) stderr.write(prompt)
  const { promise: left, reject } = Promise.withResolvers<never>()
  lines.once('SIGINT', () => reject(new Failure('usage', 'nothing was changed')))
  lines.once('close', () =>
    reject(new Failure('usage', 'no token was given: type it, or pipe it to standard input')),
  )
  try {
    return await Promise.race([left, nextLine(lines)])
  } finally {
    lines.close()
    if (stdin.isTTY) stderr.write('\n')
  }
}

async function nextLine(lines: ReturnType<typeof createInterface>): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  lines.once('line', resolve)
  return await promise
}
