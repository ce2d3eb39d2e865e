/** A program without a terminal: without a server, or with one of the test. */
import { PassThrough, Writable } from 'node:stream'
import type { Command } from 'commander'
import { createProgram } from './program.ts'
import { openShell } from './shell.ts'

/** What it does not refuse fails because it has no server. */
export function newProgram(configHome: string): Command {
  const stream = () => new PassThrough() as unknown
  const streams = { stdin: stream(), stdout: stream(), stderr: stream() } as Parameters<typeof openShell>[1]
  const shell = openShell(
    {
      ...{ server: undefined, token: undefined, profile: undefined, browser: 'false' },
      ...{ configHome, directories: [] },
    },
    streams,
  )
  return createProgram(shell).program
}

/** Runs commands in this process, with a server of the test. A failure is thrown. */
export function programWith(server: URL, configHome: string) {
  const said = { stdout: '', stderr: '' }
  const sink = (name: keyof typeof said) =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        said[name] += chunk.toString()
        done()
      },
    })
  const shell = openShell(
    {
      ...{ server: server.href, token: 'good', profile: undefined, browser: 'false' },
      ...{ configHome, directories: [] },
    },
    { stdin: new PassThrough(), stdout: sink('stdout'), stderr: sink('stderr') } as unknown as Parameters<
      typeof openShell
    >[1],
  )
  return async (...words: readonly string[]): Promise<typeof said> => {
    Object.assign(said, { stdout: '', stderr: '' })
    await createProgram(shell).program.parseAsync(words, { from: 'user' })
    return { ...said }
  }
}
