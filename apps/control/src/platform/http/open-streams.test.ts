import assert from 'node:assert/strict'
import { mock, suite, test } from 'node:test'
import type { Actor } from '../access.ts'
import { ServiceError } from '../errors.ts'
import {
  OpenStreams,
  streamsMax,
  streamsOfTokenMax,
  unconfirmedMaxMs,
  type RightsOf,
} from './open-streams.ts'

const actor = (id: string, rights: Partial<Actor> = {}): Actor => ({
  id,
  name: id,
  role: 'operator',
  scopes: [],
  limits: {},
  ...rights,
})
const unchanged: RightsOf = (actors) => Promise.resolve([...actors])
const running = new AbortController().signal

suite('open streams', () => {
  test('a stream ends when its token, its session, its role or a scope is gone, and says why; others stay', async () => {
    const rights = new Map<string, Actor | ServiceError>()
    const streams = new OpenStreams(
      (actors) => Promise.resolve(actors.map((each) => rights.get(each.id) ?? each)),
      running,
    )
    const opened = Object.fromEntries(
      ['revoked', 'demoted', 'unscoped', 'limited', 'other'].map((id) => [
        id,
        streams.open(actor(id, { scopes: ['trace-bodies'], limits: { regions: ['eu', 'us'] } }), 'operator'),
      ]),
    )
    await streams.check()
    assert.equal(streams.size, 5)
    rights.set('revoked', new ServiceError('token_invalid', 'This token was revoked: ask for a new one.'))
    const limits = { regions: ['eu', 'us'] }
    rights.set('demoted', actor('demoted', { role: 'viewer', scopes: ['trace-bodies'], limits }))
    rights.set('unscoped', actor('unscoped', { role: 'admin', limits }))
    rights.set('limited', actor('limited', { scopes: ['trace-bodies'], limits: { regions: ['eu'] } }))
    await streams.check()
    assert.deepEqual(
      Object.entries(opened).map(([id, { signal, ending }]) => [
        id,
        signal.aborted,
        ending?.code,
        ending?.message,
      ]),
      [
        ['revoked', true, 'token_invalid', 'This token was revoked: ask for a new one.'],
        ['demoted', true, 'forbidden', 'demoted no longer has the role operator.'],
        ['unscoped', true, 'forbidden', 'unscoped no longer has the scope trace-bodies.'],
        ['limited', true, 'outside_limits', 'The limits of limited were changed: open the stream again.'],
        ['other', false, undefined, undefined],
      ],
    )
    assert.equal(streams.size, 1)
    opened['other']?.close()
  })

  test('a session and the token that began it end apart', async () => {
    const over = new ServiceError('session_over', 'Your session has ended: sign in again.')
    const streams = new OpenStreams(
      (actors) => Promise.resolve(actors.map((each) => (each.session === 'a' ? over : each))),
      running,
    )
    const [a, b, token] = [{ session: 'a' }, { session: 'b' }, {}].map((session) =>
      streams.open(actor('one', session), 'viewer'),
    )
    await streams.check()
    assert.deepEqual([a?.signal.aborted, b?.signal.aborted, token?.signal.aborted], [true, false, false])
    for (const stream of [b, token]) stream?.close()
  })

  test('all streams of the process cost one question each time, and none while none is open', async () => {
    mock.timers.enable({ apis: ['setInterval'] })
    try {
      const asked: number[] = []
      const streams = new OpenStreams((actors) => {
        asked.push(actors.length)
        return Promise.resolve([...actors])
      }, running)
      const opened = ['a', 'a', 'a', 'b', 'b'].map((id) => streams.open(actor(id), 'viewer'))
      mock.timers.tick(1_000)
      assert.deepEqual(asked, [2])
      for (const stream of opened) stream.close()
      mock.timers.tick(10_000)
      assert.deepEqual(asked, [2])
    } finally {
      mock.timers.reset()
    }
  })

  test('a stream ends when its right could not be confirmed for ten seconds, whether the question fails or hangs', async () => {
    for (const rightsOf of [
      () => Promise.reject(new Error('connect ECONNREFUSED')),
      () => new Promise<never>(() => {}),
    ]) {
      mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
      try {
        let now = 0
        const streams = new OpenStreams(rightsOf, running, () => now)
        const stream = streams.open(actor('a'), 'viewer')
        const pass = async (ms: number) => {
          for (let passed = 0; passed < ms; passed += 1_000) {
            now += 1_000
            mock.timers.tick(1_000)
            await Promise.resolve()
          }
        }
        await pass(unconfirmedMaxMs)
        assert.equal(stream.signal.aborted, false)
        // A question that hangs is given up after four seconds.
        await pass(4_000)
        assert.deepEqual([stream.signal.aborted, stream.ending?.code], [true, 'database_unavailable'])
        assert.equal(streams.size, 0)
      } finally {
        mock.timers.reset()
      }
    }
  })

  test('an outage that is shorter than that ends nothing', async () => {
    let isDown = true
    let now = 0
    const streams = new OpenStreams(
      (actors) => (isDown ? Promise.reject(new Error('down')) : unchanged(actors)),
      running,
      () => now,
    )
    const stream = streams.open(actor('a'), 'viewer')
    now = unconfirmedMaxMs - 1
    await streams.check()
    isDown = false
    await streams.check()
    now += unconfirmedMaxMs - 1
    isDown = true
    await streams.check()
    assert.equal(stream.signal.aborted, false)
    stream.close()
  })

  test('a right that is confirmed late counts from when it was asked for', async () => {
    let now = 0
    const { promise: answered, resolve } = Promise.withResolvers<void>()
    let isDown = false
    const streams = new OpenStreams(
      async (actors) => {
        if (isDown) throw new Error('down')
        await answered
        return [...actors]
      },
      running,
      () => now,
    )
    const stream = streams.open(actor('a'), 'viewer')
    now = 1_000
    const check = streams.check()
    now = 9_000
    resolve()
    await check
    isDown = true
    now = 1_000 + unconfirmedMaxMs
    await streams.check()
    assert.equal(stream.signal.aborted, false)
    now += 1
    await streams.check()
    assert.equal(stream.signal.aborted, true)
  })

  test('one token gets a part of the places, and all tokens together no more than there are', () => {
    const streams = new OpenStreams(unchanged, running)
    const ofA = Array.from({ length: streamsOfTokenMax }, () => streams.open(actor('a'), 'viewer'))
    assert.throws(() => streams.open(actor('a'), 'viewer'), { code: 'streams_of_token_full' })
    // The sessions of a token are its streams, too.
    assert.throws(() => streams.open(actor('a', { session: 's' }), 'viewer'), {
      code: 'streams_of_token_full',
    })
    const others = Array.from({ length: streamsMax - streamsOfTokenMax }, (_, index) =>
      streams.open(actor(`other-${index}`), 'viewer'),
    )
    assert.throws(() => streams.open(actor('b'), 'viewer'), { code: 'streams_full' })
    ofA[0]?.close()
    ofA[0]?.close()
    assert.equal(streams.size, streamsMax - 1)
    streams.open(actor('b'), 'viewer').close()
    for (const stream of [...ofA, ...others]) stream.close()
    assert.equal(streams.size, 0)
  })

  test('a control that stops ends its streams without a refusal', () => {
    const stopping = new AbortController()
    const streams = new OpenStreams(unchanged, stopping.signal)
    const stream = streams.open(actor('a'), 'viewer')
    stopping.abort()
    assert.deepEqual([stream.signal.aborted, stream.ending], [true, undefined])
    stream.close()
  })
})
