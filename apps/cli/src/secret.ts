/** Reads a secret: typed without echo at a terminal, or the first line of a pipe. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { Failure } from './failure.ts'

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
