/** An edge on loopback, with its own configuration file. */
import { mergeLayers, type Layer } from '@imapfleet/config'
import { compileCache, ownDirectory, type Ground } from './ground.ts'
import type { Nats } from './nats-server.ts'
import { node } from './paths.ts'
import { freePort } from './ports.ts'
import { LocalProcess } from './process.ts'
import { programFiles } from './program-files.ts'
import { writePrivate } from './secret-file.ts'

export interface EdgeOptions {
  ground: Ground
  id: string
  region: string
  upstream: Upstream
  /** Undefined: the edge runs alone. */
  nats?: Pick<Nats, 'url' | 'tokenFile'> | undefined
  /** Its own credential for NATS. */
  credentialsFile?: string | undefined
  /** Preferred ports. */
  imapPort?: number | undefined
  httpPort?: number | undefined
  /** Overrides the configuration that is made here. */
  config?: Layer | undefined
  /** A program and its arguments that run the edge as their own process, such as `prlimit --nofile=256`. */
  runner?: readonly string[] | undefined
  /** Another program than that of `programFiles`. */
  program?: string | undefined
  /** Arguments of Node. */
  nodeFlags?: readonly string[] | undefined
}

/** The IMAP server of the edges. */
export interface Upstream {
  host: string
  port: number
}

export interface EdgeProcess {
  id: string
  region: string
  imapPort: number
  httpPort: number
  configFile: string
  process: LocalProcess
}

export async function edgeProxy(options: EdgeOptions): Promise<EdgeProcess> {
  const { ground, id, region, upstream, nats, credentialsFile } = options
  const imapPort = await freePort(options.imapPort)
  const httpPort = await freePort(options.httpPort)
  const home = ownDirectory(ground, 'edges', id)
  const configFile = `${home}/edge.yaml`
  const fleet = { stateDir: ownDirectory(ground, 'edges', id, 'state') }
  const config: Layer = {
    edge: { id, region },
    listeners: { imap: { address: '127.0.0.1', port: imapPort } },
    upstreams: { main: { hosts: [upstream.host], port: upstream.port } },
    http: { address: '127.0.0.1', port: httpPort },
    // A stop of the whole set does not wait for sessions.
    process: { drainTimeoutMs: 2_000 },
    fleet: nats
      ? {
          ...fleet,
          servers: nats.url.split(','),
          ...(nats.tokenFile && { tokenFile: nats.tokenFile }),
          ...(credentialsFile && { credentialsFile }),
        }
      : fleet,
  }
  // JSON is valid YAML.
  const text = JSON.stringify(mergeLayers(config, options.config ?? {}), null, 2)
  writePrivate(configFile, `${text}\n`, ground.account)
  const program = options.program ?? programFiles.edge
  const main = [node, ...(options.nodeFlags ?? []), program, '--config', configFile]
  const [command = node, ...args] = [...(options.runner ?? []), ...main]
  const child = new LocalProcess({
    name: id,
    command,
    args,
    env: compileCache(ground),
    ground,
    // It has no state to save, and the parts that it would tell are being stopped too.
    deathSignal: 'SIGKILL',
    graceMs: 5_000,
    // SIGUSR2.
    handsOver: true,
    isReady: async () => {
      const signal = AbortSignal.timeout(2_000)
      // A connection that is kept would be an open file of the edge for some seconds.
      const headers = { connection: 'close' }
      return (await fetch(`http://127.0.0.1:${httpPort}/readyz`, { signal, headers })).ok
    },
  })
  return { id, region, imapPort, httpPort, configFile, process: child }
}
