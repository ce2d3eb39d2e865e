/** Our edge without a fleet, with its defaults except for the ports, the size of the cache and the log. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '@imapfleet/local'
import { openFilesMax } from '../../accounting.ts'
import { startServer } from '../child.ts'
import { idleWanted, spare, unprivileged, type Contestant } from './contestant.ts'

const main = join(import.meta.dirname, '..', '..', '..', '..', 'apps', 'edge-proxy', 'src', 'main.ts')

export function imapfleet(): Contestant {
  return {
    name: 'imapfleet',
    version: `this checkout on Node ${process.versions.node}`,
    idleMax: Math.min(idleWanted, openFilesMax() - 5 * spare),
    async start(onwardPort, directory) {
      const port = await freePort()
      const config = {
        edge: { id: 'bench' },
        listeners: { imap: { address: '127.0.0.1', port } },
        upstreams: { main: { hosts: ['127.0.0.1'], port: onwardPort, connectionsMax: idleWanted + spare } },
        pool: { idleTimeoutMs: 3_600_000 },
        log: { level: 'error' },
        http: { port: await freePort() },
        ...(process.getuid?.() === 0 ? { process: unprivileged() } : {}),
      }
      const file = join(directory, 'edge.yaml')
      writeFileSync(file, JSON.stringify(config))
      return { port, process: await startServer(process.execPath, [main, '--config', file], port) }
    },
  }
}
