/** HAProxy with one thread in TCP mode: it forwards bytes and opens a server connection for each client. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '@imapfleet/local'
import { startServer } from '../child.ts'
import type { Contestant } from './contestant.ts'

export function haproxy(program: string, version: string): Contestant {
  return {
    name: 'HAProxy',
    version,
    idleMax: 0,
    async start(onwardPort, directory) {
      const port = await freePort()
      const file = join(directory, 'haproxy.cfg')
      writeFileSync(
        file,
        `global
  nbthread 1
  maxconn 4000
defaults
  mode tcp
  timeout connect 60s
  timeout client 600s
  timeout server 600s
listen imap
  bind 127.0.0.1:${port}
  server stub 127.0.0.1:${onwardPort}
`,
      )
      return { port, process: await startServer(program, ['-db', '-f', file], port) }
    },
  }
}
