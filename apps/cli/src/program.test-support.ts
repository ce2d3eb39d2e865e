/** A program without a terminal: without a server, or with one of the test. */
import { PassThrough, Writable } from 'node:stream'
import type { Command } from 'commander'
import { createProgram } from './program.ts'
import { openShell } from './shell.ts'

interface Streams {
  stdin: PassThrough
  stdout: Writable
  stderr: Writable
}

const shellOf = (server: URL | undefined, configHome: string, streams: Streams) =>
  openShell(
    {
      ...{ server: server?.href, token: server && 'good', profile: undefined, browser: 'false' },
      ...{ configHome, directories: [] },
    },
    streams as unknown as Parameters<typeof openShell>[1],
  )

/** What it does not refuse fails because it has no server. */
export function newProgram(configHome: string): Command {
  const stream = () => new PassThrough()
  const shell = shellOf(undefined, configHome, { stdin: stream(), stdout: stream(), stderr: stream() })
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
  const streams = { stdin: new PassThrough(), stdout: sink('stdout'), stderr: sink('stderr') }
  const shell = shellOf(server, configHome, streams)
  return async (...words: readonly string[]): Promise<typeof said> => {
    Object.assign(said, { stdout: '', stderr: '' })
    await createProgram(shell).program.parseAsync(words, { from: 'user' })
    return { ...said }
  }
}
