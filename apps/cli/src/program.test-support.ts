/** A program without a server and without a terminal. */
import { PassThrough } from 'node:stream'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import type { Command } from 'commander'
import { createProgram } from './program.ts'
import { openShell } from './shell.ts'

const home = temporaryDirectory('cli-program')

/** What it does not refuse fails because it has no server. */
export function newProgram(): Command {
  const stream = () => new PassThrough() as unknown
  const streams = { stdin: stream(), stdout: stream(), stderr: stream() } as Parameters<typeof openShell>[1]
  const shell = openShell(
    {
      ...{ server: undefined, token: undefined, profile: undefined, browser: 'false' },
      ...{ configHome: home, directories: [] },
    },
    streams,
  )
  return createProgram(shell).program
}
