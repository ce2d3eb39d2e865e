import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { NatsHandles } from '@imapfleet/nats'
import { edgeMetrics, Log, Metrics } from '@imapfleet/observe'
import { encode, evidenceRead, streams, subjects, wireVersion } from '@imapfleet/protocol'
import { untilTrue } from '../pool/pool.test-support.ts'
import { replaceRuntime, runtime } from '../runtime.ts'
import { EvidenceFeed } from './evidence-feed.ts'

const own = '0191d5a0-0000-7000-8000-000000000001'
const other = '0191d5a0-0000-7000-8000-000000000002'
let messages = 0

const evidence = (users: string[], more: { boot?: string; isIncomplete?: boolean } = {}) =>
  encode({
    v: wireVersion,
    edge: 'eu-2',
    region: 'eu',
    boot: other,
    at: 1,
    sequence: ++messages,
    changes: users.map((user) => ({ kind: 'proven', user })),
    isIncomplete: false,
    ...more,
  })

/** The headers of a message in nats.js. */
class Headers {
  code = 0
  description = ''
  readonly #values: [string, string][]

  constructor(values: [string, string][]) {
    this.#values = values
  }

  #of = (name: string) => this.#values.filter(([key]) => key === name).map(([, value]) => value)
  /** The first one. */
  get = (name: string) => this.#of(name)[0] ?? ''
  last = (name: string) => this.#of(name).at(-1) ?? ''
}

type Live = (error: Error | null, message: { headers: Headers; data: Uint8Array }) => void

/** Headers and a status that a sender adds to its message. JetStream keeps them. */
interface Forged {
  headers?: [string, string][]
  code?: number
}

/** A feed with a stand-in for NATS that has one stream. */
function atWork() {
  const stream = { first: 1, messages: [] as (Uint8Array | undefined)[] }
  const nats = { isUp: true, fails: false, reads: 0, hold: undefined as Promise<void> | undefined }
  const clock = { now: 0 }
  let live: Live | undefined
  const at = (sequence: number) => stream.messages[sequence - stream.first]
  const last = () => stream.first + stream.messages.length - 1
  const subject = subjects.evidence({ region: 'eu', edge: 'eu-2' })
  const forgeries = new Map<number, Forged>()
  const headersOf = (sequence: number, name: string = streams.evidence) => {
    const { headers = [], code = 0 } = forgeries.get(sequence) ?? {}
    const added: [string, string][] = [
      ['Nats-Stream', name],
      ['Nats-Sequence', String(sequence)],
      ['Nats-Subject', subject],
    ]
    return Object.assign(new Headers([...headers, ...added]), { code })
  }
  const request = async (to: string, payload: Uint8Array) => {
    assert.equal(to, evidenceRead)
    nats.reads++
    const asked = JSON.parse(new TextDecoder().decode(payload)) as { seq?: number; last_by_subj?: string }
    if (asked.seq === undefined) assert.equal(asked.last_by_subj, subjects.evidenceOfAll)
    const sequence = asked.seq ?? last()
    const data = at(sequence)
    const { fails, hold } = nats
    await hold
    if (fails) throw new Error('no answer')
    if (!data) return { headers: Object.assign(new Headers([]), { code: 404 }), data: new Uint8Array() }
    const headers = headersOf(sequence)
    if (headers.code === 503 && data.length === 0) throw new Error('no responders')
    return { headers, data }
  }
  const handles = {
    nats: {
      request,
      subscribe: (to: string, { callback }: { callback: Live }) => {
        assert.equal(to, subjects.storedEvidenceOfAll)
        live = callback
      },
    },
  } as unknown as NatsHandles
  const { counters } = new Metrics(edgeMetrics)
  /** Users that were distrusted, in order. `*`: all users. */
  const distrusted: string[] = []
  const feed = new EvidenceFeed({
    boot: own,
    fleet: () => (nats.isUp ? handles : undefined),
    now: () => clock.now,
    distrust: (users) => void distrusted.push(...users),
    distrustAll: () => void distrusted.push('*'),
    received: counters.evidence_received_total,
    missed: counters.evidence_missed_total,
    log: new Log({ level: 'debug', format: 'text' }, () => {}),
  })
  after(() => feed.stop())
  feed.subscribe(handles)
  return {
    feed,
    stream,
    nats,
    clock,
    distrusted,
    counters,
    /** Stored, but not delivered to this edge. */
    store: (data: Uint8Array) => void stream.messages.push(data),
    /** Stored, and delivered. */
    send: (data: Uint8Array, forged: Forged = {}) => {
      stream.messages.push(data)
      forgeries.set(last(), forged)
      live!(null, { headers: headersOf(last()), data })
    },
    /** A message of another stream with the next sequence. */
    forge: (name: string, data: Uint8Array) => live!(null, { headers: headersOf(last() + 1, name), data }),
    deliver: (sequence: number) => live!(null, { headers: headersOf(sequence), data: at(sequence)! }),
    /** Connects for the first time. */
    connect: async () => {
      await feed.connected()
      assert.deepEqual(distrusted.splice(0), ['*'])
      nats.reads = 0
    },
  }
}

test('at the first connect all connections are distrusted, and then messages are applied as they arrive', async () => {
  const { connect, store, send, distrusted, nats, counters } = atWork()
  store(evidence(['old']))
  await connect()
  send(evidence(['joe', 'jane']))
  send(evidence(['jim']))
  assert.deepEqual(distrusted, ['joe', 'jane', 'jim'])
  assert.deepEqual([nats.reads, counters.evidence_received_total.value], [0, 3])
})

test('an edge skips only its own messages of this run', async () => {
  const { connect, send, distrusted } = atWork()
  await connect()
  send(evidence(['joe'], { boot: own }))
  send(evidence(['jane']))
  assert.deepEqual(distrusted, ['jane'])
})

test('after a reconnect, missed messages are applied before `connected` settles', async () => {
  const { connect, feed, store, send, distrusted, counters } = atWork()
  await connect()
  send(evidence(['before']))
  for (let count = 0; count < 120; count++) store(evidence([`missed ${count}`]))
  await feed.connected()
  assert.deepEqual(distrusted, ['before', ...Array.from({ length: 120 }, (_, count) => `missed ${count}`)])
  send(evidence(['after']))
  assert.equal(distrusted.at(-1), 'after')
  assert.equal(counters.evidence_missed_total.value, 1)
})

test('if no message was missed, no connection is distrusted', async () => {
  const { connect, feed, send, distrusted } = atWork()
  await connect()
  await feed.connected()
  send(evidence(['joe']))
  await feed.connected()
  await feed.catchUp()
  assert.deepEqual(distrusted, ['joe'])
})

test('a lost message leaves a gap and is read, and a message that arrives twice is applied once', async () => {
  const { connect, send, store, deliver, distrusted } = atWork()
  await connect()
  send(evidence(['a']))
  store(evidence(['b']))
  send(evidence(['c']))
  await untilTrue(() => distrusted.length === 3)
  deliver(1)
  deliver(3)
  send(evidence(['d']))
  await untilTrue(() => distrusted.length === 4)
  assert.deepEqual(distrusted, ['a', 'b', 'c', 'd'])
})

test('messages that another edge makes JetStream send again cause one read in ten seconds', async () => {
  const { connect, send, deliver, clock, distrusted } = atWork()
  await connect()
  send(evidence(['a']))
  send(evidence(['b']))
  const real = { ...runtime }
  let reads = 0
  const restore = replaceRuntime({ ...runtime, after: (ms, callback) => (reads++, real.after(ms, callback)) })
  try {
    for (let repeated = 0; repeated < 500; repeated++) deliver(1)
    assert.equal(reads, 0)
    clock.now += 10_000
    for (let repeated = 0; repeated < 500; repeated++) deliver(1)
    assert.equal(reads, 1)
  } finally {
    restore()
  }
  assert.deepEqual(distrusted, ['a', 'b'])
})

test('a message of another stream is not applied, also if a reply subject directs it here', async () => {
  const { connect, send, forge, distrusted } = atWork()
  await connect()
  forge('KV_imapfleet_desired', evidence(['forged']))
  send(evidence(['a']))
  assert.deepEqual(distrusted, ['a'])
})

test('headers and a status that a sender adds to its message have no effect', async () => {
  const forgeries: Forged[] = [
    // With a sequence that the stream has not reached, the real message with this sequence would be skipped.
    { headers: [['Nats-Sequence', '3']] },
    { headers: [['Nats-Sequence', '1']] },
    { headers: [['Nats-Sequence', 'x']] },
    { headers: [['Nats-Stream', 'OTHER']] },
    { headers: [['Nats-Subject', 'imapfleet.evidence.us.us-1']] },
    { code: 404 },
  ]
  for (const forged of forgeries) {
    const { connect, feed, send, store, distrusted } = atWork()
    await connect()
    send(evidence(['a']))
    send(evidence(['b']), forged)
    await feed.connected()
    send(evidence(['c']))
    store(evidence(['d']))
    await feed.connected()
    assert.deepEqual(distrusted, ['a', 'b', 'c', 'd'], JSON.stringify(forged))
  }
})

test('after an unreadable message all connections are distrusted, and the next messages are applied', async () => {
  const { connect, feed, send, store, distrusted, nats } = atWork()
  await connect()
  send(evidence(['a']))
  store(evidence(['lost']))
  // The library interprets it as the answer that JetStream is not available.
  send(new Uint8Array(), { code: 503 })
  send(evidence(['b']))
  await feed.catchUp()
  assert.deepEqual(distrusted, ['a', '*'])
  send(evidence(['c']))
  assert.deepEqual(distrusted, ['a', '*', 'c'])
  assert.ok(nats.reads < 20)
})

test('while the stream cannot be read, messages are applied as they arrive', async () => {
  const { connect, feed, send, store, distrusted, nats } = atWork()
  await connect()
  send(evidence(['a']))
  nats.fails = true
  store(evidence(['lost']))
  await feed.connected()
  send(evidence(['b']))
  assert.deepEqual(distrusted, ['a', '*', 'b'])
  nats.fails = false
  await untilTrue(() => distrusted.includes('lost'))
})

test('another stream is also detected at a position that is known only from a read', async () => {
  const { feed, store, stream, distrusted } = atWork()
  store(evidence(['old']))
  await feed.connected()
  stream.messages[0] = evidence(['another'])
  store(evidence(['a']))
  await feed.connected()
  assert.deepEqual(distrusted, ['*', '*'])
})

test('messages that arrive during a read are applied after the messages of the read', async () => {
  const { connect, feed, send, store, distrusted, nats } = atWork()
  await connect()
  store(evidence(['a']))
  const { promise, resolve } = Promise.withResolvers<void>()
  nats.hold = promise
  const connected = feed.connected()
  await untilTrue(() => nats.reads > 0)
  send(evidence(['b']))
  send(evidence(['c']))
  resolve()
  nats.hold = undefined
  await connected
  await untilTrue(() => distrusted.length === 3)
  assert.deepEqual(distrusted, ['a', 'b', 'c'])
})

test('if the missed messages are not known with certainty, all connections are distrusted', async () => {
  const ways: Record<string, (work: ReturnType<typeof atWork>) => void> = {
    'messages have gone': ({ stream, store }) => {
      store(evidence(['lost']))
      store(evidence(['kept']))
      stream.messages.splice(0, 3)
      stream.first += 3
    },
    'one in the middle has gone': ({ stream, store }) => {
      store(evidence(['lost']))
      store(evidence(['kept']))
      stream.messages.splice(2, 1, undefined)
    },
    'the stream was made again': ({ stream }) => void stream.messages.splice(0, 2),
    'the stream was made again, and is as long': ({ stream }) => {
      stream.messages[1] = evidence(['another'])
    },
    'the stream was made again, and is longer': ({ stream, store }) => {
      stream.messages[1] = evidence(['another'])
      store(evidence(['and another']))
    },
    'the stream is shorter': ({ stream }) => {
      stream.messages.splice(0, 2, evidence(['another']))
    },
    'it was cut off for too long': ({ clock }) => (clock.now += 3_600_000),
    'too much was missed': ({ store }) => {
      for (let count = 0; count < 501; count++) store(evidence(['x']))
    },
    'the stream cannot be read': ({ nats }) => (nats.fails = true),
  }
  for (const [name, happen] of Object.entries(ways)) {
    const work = atWork()
    await work.connect()
    for (const user of ['a', 'b']) work.send(evidence([user]))
    happen(work)
    await work.feed.connected()
    assert.deepEqual(work.distrusted, ['a', 'b', '*'], name)
    work.nats.fails = false
  }
})

test('while the stream cannot be read, all connections are distrusted once for each connect, and missed messages are read later', async () => {
  const { connect, feed, send, store, distrusted, nats } = atWork()
  await connect()
  send(evidence(['a']))
  nats.fails = true
  await feed.connected()
  await feed.catchUp()
  assert.deepEqual(distrusted, ['a', '*'])
  await feed.connected()
  assert.deepEqual(distrusted, ['a', '*', '*'])
  store(evidence(['b']))
  nats.fails = false
  await untilTrue(() => distrusted.length === 4)
  assert.deepEqual(distrusted, ['a', '*', '*', 'b'])
})

test('after a reconnect, the stream is read even if a read on the old connection failed', async () => {
  const { connect, feed, send, store, distrusted, nats } = atWork()
  await connect()
  send(evidence(['a']))
  const { promise, resolve } = Promise.withResolvers<void>()
  nats.hold = promise
  nats.fails = true
  void feed.catchUp()
  nats.hold = undefined
  nats.fails = false
  store(evidence(['b']))
  const connected = feed.connected()
  resolve()
  await connected
  assert.deepEqual(distrusted, ['a', '*', 'b'])
})

test('when all messages of a quiet fleet have expired, no connection is distrusted', async () => {
  const { connect, feed, send, stream, store, distrusted, clock } = atWork()
  await connect()
  send(evidence(['a']))
  for (let minutes = 0; minutes < 120; minutes += 10) {
    clock.now += 600_000
    if (minutes === 60) {
      stream.messages.splice(0, 1)
      stream.first += 1
    }
    await feed.catchUp()
  }
  assert.deepEqual(distrusted, ['a'])
  store(evidence(['b']))
  await feed.connected()
  send(evidence(['c']))
  assert.deepEqual(distrusted, ['a', 'b', 'c'])
})

test('if a message of another edge is incomplete or unreadable, all connections are distrusted', async () => {
  const { connect, send, distrusted } = atWork()
  await connect()
  send(evidence([], { isIncomplete: true }))
  send(new TextEncoder().encode('{}'))
  send(evidence(['joe']))
  assert.deepEqual(distrusted, ['*', '*', 'joe'])
})

test('of too many messages of one edge, few are read, and all connections are distrusted once', async () => {
  const { connect, send, distrusted, clock } = atWork()
  await connect()
  for (let count = 0; count < 5000; count++) send(evidence(['joe']))
  assert.equal(distrusted.length, 10)
  await untilTrue(() => distrusted.length > 10)
  assert.deepEqual(distrusted.slice(10), ['*'])
  clock.now += 1001
  send(evidence(['jane']))
  assert.equal(distrusted.at(-1), 'jane')
})
