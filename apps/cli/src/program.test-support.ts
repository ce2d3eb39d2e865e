/** A program without a server and without a terminal. */
import { PassThrough } from 'node:stream'
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
