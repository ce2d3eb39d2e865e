/**
 * An edge without a fleet: started with its own configuration, reloaded, and observed through its HTTP port and its log.
 * All its files are in one temporary directory.
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
import { aheadForTests } from './environment.ts'
import { MailSocket, type MailSocketOptions } from './mail-socket.ts'
import { until } from './until.ts'

/** A ground in a temporary directory. */
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

  /**
   * `config` is merged over a plain listener and `upstreams.main` at this port.
   * @param runner a program that runs the edge, such as `prlimit --nofile=256`
   * @param program another program than that of `programFiles`
   */
  static async start(
    upstreamPort: number,
    config: Layer = {},
    runner?: string[],
    program?: string,
  ): Promise<LoneEdge> {
    const ground = temporaryGround()
    const upstream = { host: '127.0.0.1', port: upstreamPort }
    // No health probes unless a test wants them: every connection that a server sees has a cause in the test.
    const quiet: Layer = {
      upstreams: { main: { healthIntervalMs: 0, ...aheadForTests } },
      log: { level: 'debug' },
    }
    const edge = await edgeProxy({
      ground,
      id: 'lone',
      region: 'lab',
      upstream,
      config: mergeLayers(quiet, config),
      runner,
      program,
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

  /** A mail client after the greeting, at the listener `imap` by default. */
  client(options: Partial<MailSocketOptions> = {}): Promise<MailSocket> {
    return MailSocket.greeted({ port: this.edge.imapPort, ...options })
  }

  async stats(): Promise<EdgeStats> {
    return edgeStatsSchema.parse(await (await fetch(`${this.httpUrl}/stats`)).json())
  }

  configText(): Promise<string> {
    return readFile(this.edge.configFile, 'utf8')
  }

  log(): Promise<string> {
    return readFile(this.edge.process.logFile, 'utf8')
  }

  /** Waits for the first line of the log after `since` that matches. */
  logged(words: RegExp, since = 0): Promise<string> {
    return until(`${words} in the log`, async () =>
      (await this.log())
        .slice(since)
        .split('\n')
        .find((line) => words.test(line)),
    )
  }

  /** Resolves when every used connection is idle or dropped, so that the next login finds it. */
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

  /** Merges this into the file, reloads, and waits until the edge has applied it. */
  async reload(config: Layer): Promise<void> {
    this.#document = mergeLayers(this.#document, config)
    await this.reloadText(JSON.stringify(this.#document, null, 2), /info reloaded/)
  }

  /** Writes this text into the file, reloads, and returns what the edge logs about it. */
  async reloadText(text: string, answer: RegExp): Promise<string> {
    const since = (await this.log()).length
    await writeFile(this.edge.configFile, text)
    this.edge.process.send('SIGHUP')
    await this.logged(answer, since)
    return (await this.log()).slice(since)
  }
}

/** A listener besides `imap`, and its port. */
export async function listenerOn(config: Layer): Promise<{ port: number; listener: Layer }> {
  const port = await freePort()
  return { port, listener: { address: '127.0.0.1', port, ...config } }
}
