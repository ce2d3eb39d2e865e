/** The connection to a nats-server that answers, and cannot do what the settings want. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { layGround, natsServer, temporaryDirectory, type Nats } from '@imapfleet/local/in-tests'
import { readAccess } from '@imapfleet/nats'
import { Log } from '@imapfleet/observe'
import { Bus } from './bus.ts'

suite('a nats-server that makes no streams', () => {
  let server: Nats
  before(async () => {
    const ground = layGround(temporaryDirectory('nats-bus'))
    server = await natsServer({ ground, settings: ['server_name: alone'] })
    await server.process?.start()
  })
  after(async () => await server?.process?.stop())

  const limits = {
    replicas: 1,
    reportsBytesMax: 10_000_000,
    tracesBytesMax: 10_000_000,
    tracesKeptMs: 60_000,
  }
  /** What requests, /readyz and the log say. */
  const saidWith = async (wanted: Partial<typeof limits>) => {
    const read = readAccess([server.url], { tokenFile: server.tokenFile }, (key) => key)
    assert.ok(read.ok)
    const lines: string[] = []
    const log = new Log({ level: 'info', format: 'text' }, (line) => lines.push(line.slice(25)))
    const bus = new Bus({ access: read.access, limits: { ...limits, ...wanted } }, log)
    bus.open()
    while (!throws(() => bus.link())?.includes('JetStream')) await pause(5)
    const [link, ready] = [throws(() => bus.link()), await bus.ping().catch((error: Error) => error.message)]
    await bus.close()
    return { link, ready, lines }
  }
  const throws = (work: () => unknown) => {
    try {
      work()
      return undefined
    } catch (error) {
      return (error as Error).message
    }
  }

  test('more copies than there are servers: the setting is named, not an outage', async () => {
    const { link, ready, lines } = await saidWith({ replicas: 3 })
    const reason =
      'JetStream cannot make the stream IMAPFLEET_REPORTS (replicas > 1 not supported in non-clustered mode). NATS_REPLICAS is 3: set it to 1, or run 3 servers as a cluster'
    assert.equal(link, `NATS cannot be used (${reason}).`)
    assert.equal(ready, link)
    assert.deepEqual(lines, [`warn NATS makes no streams reason="${reason}"\n`])
  })

  test('less storage than the streams may use: the settings are named', async () => {
    const { link, lines } = await saidWith({ reportsBytesMax: 2 ** 53 - 1 })
    assert.match(link ?? '', /lower REPORTS_STREAM_BYTES_MAX and TRACES_STREAM_BYTES_MAX/)
    assert.match(lines.join(''), /^warn NATS makes no streams /)
    assert.doesNotMatch(lines.join(''), /unavailable/)
  })
})
