/** The NATS client of edge and control, with a real nats-server that stops and starts again. */
import assert from 'node:assert/strict'
import { after, before, suite, test, type TestContext } from 'node:test'
import { natsServer, removeTemporaryDirectory, type Ground, type Nats } from '@imapfleet/local'
import { NatsClient, readAccess, type NatsClientHandlers } from '@imapfleet/nats'
import { temporaryGround } from '../support/lone-edge.ts'
import { until } from '../support/until.ts'

suite('the NATS client', () => {
  let ground: Ground
  let nats: Nats
  before(async () => {
    ground = temporaryGround()
    nats = await natsServer({ ground })
    await nats.process?.start()
  })
  after(async () => {
    await nats?.process?.stop()
    await removeTemporaryDirectory(ground.directory)
  })

  /** A client, and the events that its owner received, in order. */
  function startClient(t: TestContext, token: boolean, handlers: Partial<NatsClientHandlers> = {}) {
    const read = readAccess([nats.url], token ? { tokenFile: nats.tokenFile } : {}, (key) => key)
    assert.ok(read.ok)
    const events: string[] = []
    const client = new NatsClient(
      read.access,
      { name: 'test' },
      {
        up: () => void events.push('up'),
        down: (reason) => void events.push(reason),
        refused: (error) => void events.push(error.message),
        explainRefusal: (message) => `refused: ${message}`,
        ...handlers,
      },
    )
    t.after(() => client.stop())
    client.start()
    return { client, events }
  }

  test('it is down while the server is, and up again with its subscriptions when the server has started again', async (t) => {
    const received: string[] = []
    const { client, events } = startClient(t, true, {
      opened: ({ nats: connection }) =>
        connection.subscribe('a', { callback: (_error, message) => void received.push(message.string()) }),
    })
    assert.equal(client.downReason, 'not connected yet')
    const first = await until('it up', () => client.handles)
    await nats.process?.stop()
    await until('it down', () => client.downReason)
    assert.deepEqual(events, ['up', 'the connection was lost'])
    await nats.process?.start()
    const again = await until('it up again', () => client.handles)
    assert.equal(again, first)
    again.nats.publish('a', 'hello')
    await until('the message', () => received.length > 0)
    assert.deepEqual(events, ['up', 'the connection was lost', 'up'])
  })

  test('it stops immediately while the server is down, before and after it was up', async (t) => {
    const { client } = startClient(t, true)
    await until('it up', () => client.handles)
    await nats.process?.stop()
    await until('it down', () => client.downReason)
    const { client: never } = startClient(t, true)
    await until('an attempt', () => /ECONNREFUSED/.test(never.downReason ?? ''))
    const startedAt = performance.now()
    await Promise.all([client.stop(), never.stop()])
    assert.ok(performance.now() - startedAt < 1_000)
    await nats.process?.start()
  })

  test('it counts as up only after `prepare` succeeded, which is called until then', async (t) => {
    let attempts = 0
    const { client, events } = startClient(t, true, {
      prepare: async () => {
        attempts += 1
        if (attempts === 1) throw new Error('no streams')
      },
    })
    await until('a failure', () => client.downReason === 'no streams')
    assert.equal(client.handles, undefined)
    await until('it up', () => client.handles)
    assert.deepEqual([attempts, events], [2, ['no streams', 'up']])
  })

  test('a refused login has its own reason, which is reported once', async (t) => {
    const { client, events } = startClient(t, false)
    const reason = await until(
      'the refusal',
      () => client.downReason?.startsWith('refused') && client.downReason,
    )
    assert.match(reason, /^refused: .*authorization violation/i)
    assert.deepEqual(events, [reason])
  })
})
