/** HAProxy with one thread in TCP mode: it forwards bytes and opens a server connection for each client. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '@imapfleet/local'
import { startServer, type BenchChild } from '../child.ts'
import type { Contestant } from './contestant.ts'

export function haproxy(program: string, version: string): Contestant {
  return {
    name: 'HAProxy',
    version,
    idleMax: 0,
    start: async (onwardPort, directory) => await startHaproxy(program, onwardPort, directory),
  }
}

/** @param checked addresses that it uses in turn and checks by TCP; undefined: one, without checks */
export async function startHaproxy(
  program: string,
  onwardPort: number,
  directory: string,
  checked?: readonly string[],
): Promise<{ port: number; process: BenchChild }> {
  const port = await freePort()
  const file = join(directory, 'haproxy.cfg')
  const servers = checked
    ? checked.map((address, index) => `  server stub${index} ${address}:${onwardPort} check\n`).join('')
    : `  server stub 127.0.0.1:${onwardPort}\n`
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 4000
defaults
  mode tcp
  timeout connect ${checked ? 10 : 60}s
  timeout client 600s
  timeout server 600s
${checked ? '  option redispatch\n' : ''}listen imap
  bind 127.0.0.1:${port}
${servers}`,
  )
  return { port, process: await startServer(program, ['-db', '-f', file], port) }
}
