/**
 * An edge that runs alone, with no fleet around: started on a configuration of its own, reloaded, looked at by its HTTP
 * port and its log. Everything that it keeps is in one directory, thrown away at the end.
 */
import { mergeLayers, type Layer } from '@imapfleet/config'
import {
  edgeProxy,
  freePort,
  layGround,
  removeTemporaryDirectory,
  temporaryDirectory,
  type EdgeProcess,
  type Ground,
} from '@imapfleet/local'
import { edgeStatsSchema, type EdgeStats } from '@imapfleet/protocol'
import { readFile, writeFile } from 'node:fs/promises'
import { MailSocket, type MailSocketOptions } from './mail-socket.ts'
import { until } from './until.ts'

/** A ground of its own for one test file. */
export const temporaryGround = (): Ground => layGround(temporaryDirectory('edge'))

export class LoneEdge {
  readonly ground: Ground
  readonly edge: EdgeProcess
  #document: Layer

  private constructor(ground: Ground, edge: EdgeProcess, document: Layer) {
    this.ground = ground
    this.edge = edge
    this.#document = document
  }

  /** `config` is laid over a plain listener and `upstreams.main` at this port. */
  static async start(upstreamPort: number, config: Layer = {}): Promise<LoneEdge> {
    const ground = temporaryGround()
    const upstream = { host: '127.0.0.1', port: upstreamPort }
    // No probe of its own unless a test wants them: every connection that a server sees has a cause in the test.
    const quiet: Layer = { upstreams: { main: { healthIntervalMs: 0 } }, log: { level: 'debug' } }
    const edge = await edgeProxy({
      ground,
      id: 'lone',
      region: 'lab',
      upstream,
      config: mergeLayers(quiet, config),
    })
    await edge.process.start()
    const document = JSON.parse(await readFile(edge.configFile, 'utf8')) as Layer
    return new LoneEdge(ground, edge, document)
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${this.edge.httpPort}`
  }

  async stop(): Promise<void> {
    await this.edge.process.stop()
    await removeTemporaryDirectory(this.ground.directory)
  }

  /** A mail client with its greeting read; at the listener `imap` unless told otherwise. */
  client(options: Partial<MailSocketOptions> = {}): Promise<MailSocket> {
    return MailSocket.greeted({ port: this.edge.imapPort, ...options })
  }

  async stats(): Promise<EdgeStats> {
    return edgeStatsSchema.parse(await (await fetch(`${this.httpUrl}/stats`)).json())
  }

  log(): Promise<string> {
    return readFile(this.edge.process.logFile, 'utf8')
  }

  /** The first line of the log from `since` on that matches. */
  logged(words: RegExp, since = 0): Promise<string> {
    return until(`${words} in the log`, async () =>
      (await this.log())
        .slice(since)
        .split('\n')
        .find((line) => words.test(line)),
    )
  }

  /** Resolves when every used connection has become idle or was dropped, so that the next login finds it. */
  async settled(idle: number): Promise<void> {
    await until(`${idle} idle connections and no others`, async () => {
      const { gauges } = await this.stats()
      return (
        gauges['upstreams_idle'] === idle &&
        gauges['upstreams_leased'] === 0 &&
        gauges['upstreams_resetting'] === 0
      )
    })
  }

  /** Lays this over the file, and waits until the edge has taken it on. */
  async reload(config: Layer): Promise<void> {
    this.#document = mergeLayers(this.#document, config)
    await this.reloadText(JSON.stringify(this.#document, null, 2), /info reloaded/)
  }

  /** Writes the file as it is given, and waits for what the edge says to it. */
  async reloadText(text: string, answer: RegExp): Promise<string> {
    const since = (await this.log()).length
    await writeFile(this.edge.configFile, text)
    this.edge.process.send('SIGHUP')
    await this.logged(answer, since)
    return (await this.log()).slice(since)
  }
}

/** A listener beside `imap`, and the port it has. */
export async function listenerOn(config: Layer): Promise<{ port: number; listener: Layer }> {
  const port = await freePort()
  return { port, listener: { address: '127.0.0.1', port, ...config } }
}
