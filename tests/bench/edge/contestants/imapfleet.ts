/** Our edge as it is installed, without a fleet, with its defaults except for the ports, the size of the cache and the log. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { edgeEnvironment, edgeNodeFlags, freePort, node, repository } from '@imapfleet/local'
import { openFilesMax } from '../../accounting.ts'
import { startServer, type BenchChild } from '../child.ts'
import { bundleDirectory } from '../programs.ts'
import { idleWanted, spare, unprivileged, type Contestant } from './contestant.ts'

/** What is run: the bundle of the package, or the sources. */
export const edgePrograms = {
  installed: [...edgeNodeFlags, join(bundleDirectory, 'imapfleet-edge.mjs')],
  sources: [join(repository, 'apps/edge-proxy/src/main.ts')],
} as const

export function imapfleet(): Contestant {
  return {
    name: 'imapfleet',
    version: `this checkout, as a package installs it, on Node ${process.versions.node}`,
    idleMax: Math.min(idleWanted, openFilesMax() - 5 * spare),
    start: async (onwardPort, directory) => await startOurEdge('installed', onwardPort, directory),
  }
}

/** @param more settings in addition to those of the comparison */
export async function startOurEdge(
  program: keyof typeof edgePrograms,
  onwardPort: number,
  directory: string,
  more: { upstream?: object; clients?: object } = {},
): Promise<{ port: number; process: BenchChild }> {
  const port = await freePort()
  const config = {
    edge: { id: 'bench' },
    listeners: { imap: { address: '127.0.0.1', port } },
    upstreams: {
      main: {
        hosts: ['127.0.0.1'],
        port: onwardPort,
        connectionsMax: idleWanted + spare,
        ...more.upstream,
      },
    },
    ...(more.clients && { clients: more.clients }),
    pool: { idleTimeoutMs: 3_600_000 },
    log: { level: 'error' },
    http: { port: await freePort() },
    ...(process.getuid?.() === 0 ? { process: unprivileged() } : {}),
  }
  const file = join(directory, 'edge.yaml')
  writeFileSync(file, JSON.stringify(config))
  const args = [...edgePrograms[program], '--config', file]
  const environment = program === 'installed' ? edgeEnvironment : {}
  return { port, process: await startServer(node, args, port, environment) }
}
