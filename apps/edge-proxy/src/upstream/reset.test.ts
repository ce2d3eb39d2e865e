import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hear, type Peer } from '../link/wire.test-support.ts'
import { prove, reset, type Leftovers } from './reset.ts'
import { loggedIn } from './server.test-support.ts'
import type { Upstream } from './upstream.ts'

const nothingLeft: Leftovers = { unanswered: [], idling: false }
const limits = { timeoutMs: 2000, bytesMax: 100_000 }

/** Reads a barrier and returns its tag. */
async function barrier(server: Peer, command: string): Promise<string> {
  const [tag, ...words] = (await server.line()).split(' ')
  assert.ok(words.join(' ').startsWith(command), words.join(' '))
  return tag!
}

interface Case {
  offered?: string
  left?: Partial<Leftovers>
  prepare?: (upstream: Upstream) => void
  server: (server: Peer) => Promise<void> | void
}

async function run({ offered, left, prepare, server: script }: Case, asked = limits) {
  const { upstream, server } = await loggedIn(offered)
  prepare?.(upstream)
  const result = reset(upstream, { ...nothingLeft, ...left }, asked)
  await script(server)
  return { result: await result, upstream, server }
}

const select = (upstream: Upstream) => void (upstream.session.selected = true)

test('a connection with nothing selected is proven by NOOP', async () => {
  const { result } = await run({
    server: async (server) => server.say(`${await barrier(server, 'NOOP')} OK\x20\r\n`),
  })
  assert.deepEqual(result, { kind: 'clean' })
})

test('a selected mailbox is left by UNSELECT, never by CLOSE, which expunges', async () => {
  for (const offered of ['IMAP4REV1 UNSELECT', 'IMAP4REV2']) {
    const { result, upstream } = await run({
      offered,
      prepare: select,
      server: async (server) => server.say(`${await barrier(server, 'UNSELECT')} OK done\r\n`),
    })
    assert.deepEqual(result, { kind: 'clean' })
    assert.equal(upstream.session.selected, false)
  }
})

test('where there is no UNSELECT, a mailbox is left by failing to EXAMINE one that cannot exist', async () => {
  const names = new Set<string>()
  for (const status of ['NO', 'OK', 'BAD']) {
    const { result, upstream } = await run({
      offered: 'IMAP4REV1',
      prepare: select,
      async server(server) {
        const [tag, verb, name] = (await server.line()).split(' ')
        assert.equal(verb, 'EXAMINE')
        names.add(name!)
        server.say(`${tag} ${status} it\r\n`)
      },
    })
    assert.deepEqual(
      result,
      status === 'NO' ? { kind: 'clean' } : { kind: 'dirty', reason: 'barrier-refused' },
    )
    assert.equal(upstream.session.selected, status !== 'NO')
  }
  assert.equal(names.size, 3)
})

test('the barrier waits until every earlier command is answered, in whatever order', async () => {
  const { result, server: after } = await run({
    left: { unanswered: ['a1', 'a2'] },
    async server(server) {
      server.say('* 1 FETCH (BODY[] {10}\r\na1 OK no\r\n)\r\na2 NO x\r\n* 2 EXISTS\r\n')
      server.say('a1 OK yes\r\n')
      server.say(`${await barrier(server, 'NOOP')} OK done\r\n`)
    },
  })
  assert.deepEqual(result, { kind: 'clean' })
  assert.equal(after.unread, '')
})

test('IDLE is ended by DONE, and its reply awaited before the barrier', async () => {
  const { result } = await run({
    left: { unanswered: ['a1'], idling: true },
    async server(server) {
      assert.equal(await server.line(), 'DONE')
      assert.equal(server.unread, '')
      server.say('* 3 EXISTS\r\na1 OK idle done\r\n')
      server.say(`${await barrier(server, 'NOOP')} OK done\r\n`)
    },
  })
  assert.deepEqual(result, { kind: 'clean' })
})

const answering =
  (text: (tag: string) => string, command = 'NOOP') =>
  async (server: Peer) =>
    server.say(text(await barrier(server, command)))

const dirty: Record<string, Case & { reason: string }> = {
  'a barrier that is refused': { server: answering((tag) => `${tag} NO no\r\n`), reason: 'barrier-refused' },
  'a barrier that is not understood': {
    server: answering((tag) => `${tag} BAD no\r\n`),
    reason: 'barrier-refused',
  },
  'UNSELECT that is refused': {
    prepare: select,
    server: answering((tag) => `${tag} NO no\r\n`, 'UNSELECT'),
    reason: 'barrier-refused',
  },
  'a reply to somebody else': { server: answering(() => 'a9 OK done\r\n'), reason: 'unexpected-reply' },
  'a tag that is guessed': { server: (server) => server.say('R OK done\r\n'), reason: 'unexpected-reply' },
  'a reply without a tag': { server: answering(() => '\r\n'), reason: 'unexpected-reply' },
  'a reply that comes twice': {
    left: { unanswered: ['a1'] },
    server: (server) => server.say('a1 OK done\r\na1 OK done\r\n'),
    reason: 'unexpected-reply',
  },
  'data behind the barrier': {
    server: answering((tag) => `${tag} OK done\r\n* 3 EXISTS\r\n`),
    reason: 'data-after-barrier',
  },
  'half a line behind the barrier': {
    server: answering((tag) => `${tag} OK done\r\n* 3 EX`),
    reason: 'data-after-barrier',
  },
  'a continuation': { server: answering(() => '+ go on\r\n'), reason: 'unexpected-continuation' },
  'a BYE': { server: answering((tag) => `* BYE x\r\n${tag} OK done\r\n`), reason: 'server-said-bye' },
  'an end': { server: (server) => void server.socket.end(), reason: 'closed-by-peer' },
  'a reset': { server: (server) => void server.socket.resetAndDestroy(), reason: 'reset-by-peer' },
}

for (const [name, { reason, ...rest }] of Object.entries(dirty)) {
  test(`${name} is never clean`, async () => {
    const { result } = await run(rest)
    assert.deepEqual(result, { kind: 'dirty', reason })
  })
}

test('a server that keeps silent, before or after the earlier replies, is dirty in time', async () => {
  const short = { ...limits, timeoutMs: 30 }
  for (const left of [{}, { unanswered: ['a1'] }, { unanswered: ['a1'], idling: true }]) {
    const { result } = await run({ left, server() {} }, short)
    assert.deepEqual(result, { kind: 'dirty', reason: 'barrier-timed-out' })
  }
  const drip = await run(
    { left: { unanswered: ['a1'] }, server: (server) => server.say('a1 OK done\r\n* 1 EXISTS\r\n') },
    short,
  )
  assert.deepEqual(drip.result, { kind: 'dirty', reason: 'barrier-timed-out' })
})

test('a flood is dirty at its limit, in lines or in one literal', async () => {
  for (const flood of [
    '* 1 EXISTS\r\n'.repeat(20_000),
    `* 1 FETCH (BODY[] {200000}\r\n${'x'.repeat(200_000)}`,
  ]) {
    const { result } = await run({ server: (server) => server.say(flood) })
    assert.deepEqual(result, { kind: 'dirty', reason: 'barrier-too-long' })
  }
})

test('an ALERT is told to the operator and does no harm; other untagged data is dropped', async () => {
  const alerts: string[] = []
  const { upstream, server } = await loggedIn()
  const result = reset(upstream, nothingLeft, {
    ...limits,
    onAlert: (line) => void alerts.push(line.trimEnd()),
  })
  const tag = await barrier(server, 'NOOP')
  server.say(`* OK [ALERT] disk is full\r\n* 4 EXISTS\r\n* OK [UIDNEXT 3] x\r\n${tag} OK done\r\n`)
  assert.deepEqual(await result, { kind: 'clean' })
  assert.deepEqual(alerts, ['* OK [ALERT] disk is full'])
})

test('two barriers never have the same tag', async () => {
  const { upstream, server } = await loggedIn()
  const tags = new Set<string>()
  for (let round = 0; round < 50; round++) {
    const result = prove(upstream, limits)
    const tag = await barrier(server, 'NOOP')
    tags.add(tag)
    assert.ok(tag.length > 16)
    server.say(`${tag} OK done\r\n`)
    assert.deepEqual(await result, { kind: 'clean' })
  }
  assert.equal(tags.size, 50)
})

test('what comes between the proof and the next owner spoils the connection', async () => {
  const { upstream, server } = await loggedIn()
  const result = reset(upstream, nothingLeft, limits)
  const tag = await barrier(server, 'NOOP')
  // As when one segment of TLS holds two records: both are delivered before any promise is looked at.
  upstream.link.handler.onData(Buffer.from(`${tag} OK done\r\n`))
  upstream.link.handler.onData(Buffer.from('* 3 EX'))
  assert.deepEqual(await result, { kind: 'clean' })
  assert.equal(upstream.session.taint, 'data-after-barrier')
})

test('a mailbox that is remembered stays selected, unless it changes while it is proven', async () => {
  const remembered = (upstream: Upstream) => {
    upstream.session.selected = true
    upstream.selection = { key: 'SELECT INBOX', lines: '', ok: 'OK', at: 0 }
  }
  const kept = await run({ prepare: remembered, server: answering((tag) => `${tag} OK done\r\n`) })
  assert.deepEqual(kept.result, { kind: 'clean' })
  assert.equal(kept.upstream.session.selected, true)
  const changed = await run({
    prepare: remembered,
    async server(server) {
      server.say(`* 5 EXISTS\r\n${await barrier(server, 'NOOP')} OK done\r\n`)
      server.say(`${await barrier(server, 'UNSELECT')} OK done\r\n`)
    },
  })
  assert.deepEqual(changed.result, { kind: 'clean' })
  assert.equal(changed.upstream.session.selected, false)
  assert.equal(changed.upstream.selection, undefined)
})

test('a connection that had ended before is dirty at once', async () => {
  const { upstream, server } = await loggedIn()
  const { end } = hear(upstream.link)
  server.socket.destroy()
  await end
  assert.deepEqual(await prove(upstream, { ...limits, timeoutMs: 600_000 }), {
    kind: 'dirty',
    reason: 'closed-by-peer',
  })
})
