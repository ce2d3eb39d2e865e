/** The connection to NATS that edge and control share, against a real nats-server that goes away and comes back. */
import assert from 'node:assert/strict'
import { after, before, suite, test, type TestContext } from 'node:test'
import { natsServer, removeTemporaryDirectory, type Ground, type Nats } from '@imapfleet/local'
import { NatsLink, readAccess, type LinkHandlers } from '@imapfleet/nats'
import { temporaryGround } from '../support/lone-edge.ts'
import { until } from '../support/until.ts'

suite('the link to NATS', () => {
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

  /** A link, and what its owner was told, in order. */
  function startLink(t: TestContext, token: boolean, handlers: Partial<LinkHandlers> = {}) {
    const read = readAccess([nats.url], token ? { tokenFile: nats.tokenFile } : {}, (key) => key)
    assert.ok(read.ok)
    const events: string[] = []
    const link = new NatsLink(
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
    t.after(() => link.stop())
    link.start()
    return { link, events }
  }

  test('it is down while the server is, and up again with its subscriptions when the server is back', async (t) => {
    const heard: string[] = []
    const { link, events } = startLink(t, true, {
      opened: ({ nats: connection }) =>
        connection.subscribe('a', { callback: (_error, message) => void heard.push(message.string()) }),
    })
    assert.equal(link.downReason, 'not connected yet')
    const first = await until('it up', () => link.handles)
    await nats.process?.stop()
    await until('it down', () => link.downReason)
    assert.deepEqual(events, ['up', 'the connection was lost'])
    await nats.process?.start()
    const again = await until('it up again', () => link.handles)
    assert.equal(again, first)
    again.nats.publish('a', 'hello')
    await until('the message', () => heard.length > 0)
    assert.deepEqual(events, ['up', 'the connection was lost', 'up'])
  })

  test('it stops at once while the server is away, before and after it was up', async (t) => {
    const { link } = startLink(t, true)
    await until('it up', () => link.handles)
    await nats.process?.stop()
    await until('it down', () => link.downReason)
    const { link: never } = startLink(t, true)
    await until('an attempt', () => /ECONNREFUSED/.test(never.downReason ?? ''))
    const startedAt = performance.now()
    await Promise.all([link.stop(), never.stop()])
    assert.ok(performance.now() - startedAt < 1_000)
    await nats.process?.start()
  })

  test('it counts as up only when it is prepared, and prepares again until that succeeds', async (t) => {
    let attempts = 0
    const { link, events } = startLink(t, true, {
      prepare: async () => {
        attempts += 1
        if (attempts === 1) throw new Error('no streams')
      },
    })
    await until('a failure', () => link.downReason === 'no streams')
    assert.equal(link.handles, undefined)
    await until('it up', () => link.handles)
    assert.deepEqual([attempts, events], [2, ['no streams', 'up']])
  })

  test('a login that is refused has a reason of its own, told once', async (t) => {
    const { link, events } = startLink(t, false)
    const reason = await until('the refusal', () => link.downReason?.startsWith('refused') && link.downReason)
    assert.match(reason, /^refused: .*authorization violation/i)
    assert.deepEqual(events, [reason])
  })
})
