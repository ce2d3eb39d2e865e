/** For tests: a whole edge in this process, with a scripted server and real clients. */
import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import { after } from 'node:test'
import { mergeLayers, resolveConfig, type EdgeConfig, type Layer } from '@imapfleet/config'
import { Log } from '@imapfleet/observe'
import { Clock } from './clock.ts'
import { Edge } from './edge.ts'
import { dialPeer, type Peer } from '../net/wire.test-support.ts'
import { untilTrue } from '../pool/pool.test-support.ts'
import { ScriptedServer } from '../server/scripted-server.test-support.ts'

export interface EdgeAtWork {
  edge: Edge
  scripted: ScriptedServer
  /** Every log line. */
  logged: string[]
  /** Of this edge. */
  document: Layer
  /** This edge's configuration, merged with a layer. */
  config: (layer?: Layer) => EdgeConfig
  /** A new client that has read its greeting. */
  client: (listener?: string) => Promise<Peer>
  /** A new client, logged in as this user, that has read the answer to its login. */
  session: (user?: string) => Promise<Peer>
  /** Settles when all server connections are idle, and the server has exactly these. */
  quiet: () => Promise<void>
}

export async function unusedPort(): Promise<number> {
  const scripted = createServer()
  const { promise, resolve } = Promise.withResolvers<void>()
  scripted.listen(0, '127.0.0.1', resolve)
  await promise
  const { port } = scripted.address() as AddressInfo
  const closed = Promise.withResolvers<void>()
  scripted.close(() => closed.resolve())
  await closed.promise
  return port
}

export async function edgeAtWork(layer: Layer = {}, upstreamPort?: number): Promise<EdgeAtWork> {
  const scripted = await ScriptedServer.start()
  const port = await unusedPort()
  const base: Layer = {
    listeners: { imap: { address: '127.0.0.1', port } },
    upstreams: {
      main: {
        hosts: ['127.0.0.1'],
        port: upstreamPort ?? scripted.port,
        connectAttempts: 1,
        healthIntervalMs: 0,
        // On a busy machine the scripted server can look distant, and tests count its connections.
        connectAhead: false,
      },
    },
    log: { level: 'debug' },
  }
  const document = mergeLayers(base, layer)
  const config = (more: Layer = {}) => {
    const resolved = resolveConfig(mergeLayers(document, more))
    assert.ok(resolved.ok, JSON.stringify(resolved))
    return resolved.config
  }
  const logged: string[] = []
  const clock = new Clock(10)
  const edge = new Edge(
    config(),
    new Log({ level: 'debug', format: 'text' }, (line) => void logged.push(line)),
    clock,
  )
  await edge.start()
  after(async () => {
    await edge.stop(0)
    clock.stop()
  })
  const client = async (listener = 'imap') => {
    const peer = dialPeer(edge.context.settings.current.listeners[listener]!.port)
    await peer.until('\r\n')
    return peer
  }
  return {
    edge,
    scripted,
    logged,
    document,
    config,
    client,
    async session(user = 'joe') {
      const peer = await client()
      peer.say(`login LOGIN ${user} secret\r\n`)
      await peer.until('login OK ')
      await peer.until('\r\n')
      return peer
    },
    quiet: () =>
      untilTrue(() => {
        const { connections } = edge.context.pool
        const busy = (['leased', 'resetting', 'dialing'] as const).some(
          (state) => connections.count(state) > 0,
        )
        return !busy && connections.count('idle') === scripted.open
      }),
  }
}
