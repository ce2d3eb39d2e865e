import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hear, type Peer } from '../net/wire.test-support.ts'
import { beginReset, nothingLeft, reset, type Followers, type Leftovers } from './reset.ts'
import { loggedIn } from './scripted-server.test-support.ts'
import type { ServerConnection } from './server-connection.ts'

const limits = { timeoutMs: 2000, bytesMax: 100_000 }

/** Reads a barrier and returns its tag. */
async function barrier(scripted: Peer, command: string): Promise<string> {
  const [tag, ...words] = (await scripted.line()).split(' ')
  assert.ok(words.join(' ').startsWith(command), words.join(' '))
  return tag!
}

interface Case {
  offered?: string
  left?: Partial<Leftovers>
  prepare?: (connection: ServerConnection) => void
  scripted: (scripted: Peer) => Promise<void> | void
}

async function run({ offered, left, prepare, scripted: script }: Case, asked = limits) {
  const { connection, scripted } = await loggedIn(offered)
  prepare?.(connection)
  const result = reset(connection, { ...nothingLeft, ...left }, asked)
  await script(scripted)
  return { result: await result, connection, scripted }
}

const select = (connection: ServerConnection) => connection.mailboxMayBeSelected()

test('a connection without a selected mailbox is proven by NOOP', async () => {
  const { result } = await run({
    scripted: async (scripted) => scripted.say(`${await barrier(scripted, 'NOOP')} OK\x20\r\n`),
  })
  assert.deepEqual(result, { kind: 'clean' })
})

test('after BAD, a connection is proven by a command that needs a logged-in user', async () => {
  for (const [answer, result] of [
    ['OK done', { kind: 'clean' }],
    ['BAD no', { kind: 'dirty', reason: 'barrier-refused' }],
    ['NO no', { kind: 'dirty', reason: 'barrier-refused' }],
  ] as const) {
    const told = await run({
      left: { hadBad: true },
      scripted: async (scripted) =>
        scripted.say(`* LIST (\\Noselect) "/" ""\r\n${await barrier(scripted, 'LIST "" ""')} ${answer}\r\n`),
    })
    assert.deepEqual(told.result, result)
  }
})

test('a BAD during the reset counts like one before it, and a NO does not', async () => {
  for (const [reply, command] of [
    ['BAD no', 'LIST'],
    ['PREAUTH x', 'LIST'],
    ['NO no', 'NOOP'],
    ['OK done', 'NOOP'],
  ] as const) {
    const { result } = await run({
      left: { unanswered: ['a', 'b'] },
      scripted: async (scripted) => {
        scripted.say(`a OK done\r\nb ${reply}\r\n`)
        scripted.say(`${await barrier(scripted, command)} OK done\r\n`)
      },
    })
    assert.deepEqual(result, { kind: 'clean' })
  }
})

test('a mailbox is deselected by UNSELECT, never by CLOSE, which expunges', async () => {
  for (const offered of ['IMAP4rev1 UNSELECT', 'IMAP4REV2']) {
    const { result, connection } = await run({
      offered,
      prepare: select,
      scripted: async (scripted) => scripted.say(`${await barrier(scripted, 'UNSELECT')} OK done\r\n`),
    })
    assert.deepEqual(result, { kind: 'clean' })
    assert.equal(connection.mailbox, 'none')
  }
})

/** The server's answers to the commands of a reset, in order, and the result. */
interface Deselection {
  offered: string
  answers: [command: string, answer: string][]
  reason?: string
}

const unselecting = 'IMAP4rev1 UNSELECT'
const refusedUnselect = ['BAD No mailbox selected.', 'BAD Please select a mailbox first', 'NO not now']
const deselections: Record<string, Deselection> = {
  ...Object.fromEntries(
    refusedUnselect.map((refusal): [string, Deselection] => [
      `UNSELECT is answered ${refusal}: INBOX is opened, so that UNSELECT must be answered OK`,
      {
        offered: unselecting,
        answers: [
          ['UNSELECT', refusal],
          ['EXAMINE INBOX', 'OK [READ-ONLY] done'],
          ['UNSELECT', 'OK done'],
        ],
      },
    ]),
  ),
  'UNSELECT is refused twice': {
    offered: unselecting,
    answers: [
      ['UNSELECT', 'BAD no'],
      ['EXAMINE INBOX', 'OK done'],
      ['UNSELECT', 'BAD no'],
    ],
    reason: 'cannot-deselect',
  },
  'UNSELECT is refused, and INBOX cannot be opened': {
    offered: unselecting,
    answers: [
      ['UNSELECT', 'BAD no'],
      ['EXAMINE INBOX', 'NO no'],
    ],
    reason: 'cannot-deselect',
  },
  'without UNSELECT, a mailbox that is read-only is closed, because CLOSE does not expunge it': {
    offered: 'IMAP4rev1',
    answers: [
      ['EXAMINE INBOX', 'OK [READ-ONLY] done'],
      ['CLOSE', 'OK done'],
    ],
  },
  'without UNSELECT, a mailbox that may be read-write is never closed': {
    offered: 'IMAP4rev1',
    answers: [['EXAMINE INBOX', 'OK [READ-WRITE] done']],
    reason: 'cannot-deselect',
  },
  'without UNSELECT, a mailbox of unknown access is never closed': {
    offered: 'IMAP4rev1',
    answers: [['EXAMINE INBOX', 'OK done']],
    reason: 'cannot-deselect',
  },
  'without UNSELECT, EXAMINE is answered NO': {
    offered: 'IMAP4rev1',
    answers: [['EXAMINE INBOX', 'NO [READ-ONLY] no']],
    reason: 'cannot-deselect',
  },
  'without UNSELECT, EXAMINE is answered BAD': {
    offered: 'IMAP4rev1',
    answers: [['EXAMINE INBOX', 'BAD no']],
    reason: 'cannot-deselect',
  },
  'without UNSELECT, CLOSE is refused': {
    offered: 'IMAP4rev1',
    answers: [
      ['EXAMINE INBOX', 'OK [READ-ONLY] done'],
      ['CLOSE', 'NO no'],
    ],
    reason: 'cannot-deselect',
  },
}

for (const [name, { offered, answers, reason }] of Object.entries(deselections)) {
  test(`${name}: ${reason ?? 'the connection is clean'}`, async () => {
    const { result, connection, scripted } = await run({
      offered,
      prepare: select,
      async scripted(peer) {
        for (const [command, answer] of answers) {
          const [tag, ...words] = (await peer.line()).split(' ')
          assert.equal(words.join(' '), command)
          peer.say(`* FLAGS ()\r\n${tag} ${answer}\r\n`)
        }
      },
    })
    assert.deepEqual(result, reason === undefined ? { kind: 'clean' } : { kind: 'dirty', reason })
    assert.equal(connection.mailbox, reason === undefined ? 'none' : 'selected')
    assert.equal(scripted.unread, '')
  })
}

test('data after the reply that completes the deselection is dirty', async () => {
  const { result } = await run({
    offered: 'IMAP4rev1',
    prepare: select,
    async scripted(peer) {
      peer.say(`${await barrier(peer, 'EXAMINE INBOX')} OK [READ-ONLY] done\r\n`)
      peer.say(`${await barrier(peer, 'CLOSE')} OK done\r\n* 3 EXISTS\r\n`)
    },
  })
  assert.deepEqual(result, { kind: 'dirty', reason: 'data-after-barrier' })
})

test('a capability list that the server sends during the reset decides how a mailbox is deselected', async () => {
  const { result, connection } = await run({
    offered: '',
    left: { unanswered: ['E1'] },
    prepare(unlisted) {
      unlisted.learnCapabilities([])
      select(unlisted)
    },
    async scripted(peer) {
      peer.say('* CAPABILITY IMAP4rev1 UNSELECT\r\nE1 OK done\r\n')
      peer.say(`${await barrier(peer, 'UNSELECT')} OK done\r\n`)
    },
  })
  assert.deepEqual(result, { kind: 'clean' })
  assert.deepEqual(connection.capabilities, ['IMAP4rev1', 'UNSELECT'])
})

test('the barrier waits until every earlier command is answered, in any order', async () => {
  const { result, scripted: after } = await run({
    left: { unanswered: ['a1', 'a2'] },
    async scripted(scripted) {
      scripted.say('* 1 FETCH (BODY[] {10}\r\na1 OK no\r\n)\r\na2 NO x\r\n* 2 EXISTS\r\n')
      scripted.say('a1 OK yes\r\n')
      scripted.say(`${await barrier(scripted, 'NOOP')} OK done\r\n`)
    },
  })
  assert.deepEqual(result, { kind: 'clean' })
  assert.equal(after.unread, '')
})

test('IDLE is ended by DONE, and its reply comes before the barrier', async () => {
  const { result } = await run({
    left: { unanswered: ['a1'], idling: true },
    async scripted(scripted) {
      assert.equal(await scripted.line(), 'DONE')
      assert.equal(scripted.unread, '')
      scripted.say('* 3 EXISTS\r\na1 OK idle done\r\n')
      scripted.say(`${await barrier(scripted, 'NOOP')} OK done\r\n`)
    },
  })
  assert.deepEqual(result, { kind: 'clean' })
})

const answering =
  (text: (tag: string) => string, command = 'NOOP') =>
  async (scripted: Peer) =>
    scripted.say(text(await barrier(scripted, command)))

const dirty: Record<string, Case & { reason: string }> = {
  'a barrier with the reply NO': {
    scripted: answering((tag) => `${tag} NO no\r\n`),
    reason: 'barrier-refused',
  },
  'a barrier with the reply BAD': {
    scripted: answering((tag) => `${tag} BAD no\r\n`),
    reason: 'barrier-refused',
  },
  'a reply to another tag': { scripted: answering(() => 'a9 OK done\r\n'), reason: 'unexpected-reply' },
  'a reply to another tag before an earlier reply': {
    left: { unanswered: ['a1'] },
    scripted: (scripted) => scripted.say('a9 OK done\r\na1 OK done\r\n'),
    reason: 'unexpected-reply',
  },
  'a tag that is guessed': {
    scripted: (scripted) => scripted.say('R OK done\r\n'),
    reason: 'unexpected-reply',
  },
  'a reply without a tag': { scripted: answering(() => '\r\n'), reason: 'unexpected-reply' },
  'a reply that comes twice': {
    left: { unanswered: ['a1'] },
    scripted: (scripted) => scripted.say('a1 OK done\r\na1 OK done\r\n'),
    reason: 'unexpected-reply',
  },
  'data behind the barrier': {
    scripted: answering((tag) => `${tag} OK done\r\n* 3 EXISTS\r\n`),
    reason: 'data-after-barrier',
  },
  'half a line behind the barrier': {
    scripted: answering((tag) => `${tag} OK done\r\n* 3 EX`),
    reason: 'data-after-barrier',
  },
  'a continuation': { scripted: answering(() => '+ go on\r\n'), reason: 'unexpected-continuation' },
  'a BYE': { scripted: answering((tag) => `* BYE x\r\n${tag} OK done\r\n`), reason: 'server-said-bye' },
  'an end': { scripted: (scripted) => void scripted.socket.end(), reason: 'closed-by-peer' },
  'a reset': { scripted: (scripted) => void scripted.socket.resetAndDestroy(), reason: 'reset-by-peer' },
}

for (const [name, { reason, ...rest }] of Object.entries(dirty)) {
  test(`${name} is never clean`, async () => {
    const { result } = await run(rest)
    assert.deepEqual(result, { kind: 'dirty', reason })
  })
}

test('a server that does not answer is dirty after the time limit, before and after the earlier replies', async () => {
  const short = { ...limits, timeoutMs: 30 }
  for (const left of [{}, { unanswered: ['a1'] }, { unanswered: ['a1'], idling: true }]) {
    const { result } = await run({ left, scripted() {} }, short)
    assert.deepEqual(result, { kind: 'dirty', reason: 'barrier-timed-out' })
  }
  const drip = await run(
    { left: { unanswered: ['a1'] }, scripted: (scripted) => scripted.say('a1 OK done\r\n* 1 EXISTS\r\n') },
    short,
  )
  assert.deepEqual(drip.result, { kind: 'dirty', reason: 'barrier-timed-out' })
})

test('too much data is dirty, in lines or in one literal', async () => {
  for (const flood of [
    '* 1 EXISTS\r\n'.repeat(20_000),
    `* 1 FETCH (BODY[] {200000}\r\n${'x'.repeat(200_000)}`,
  ]) {
    const { result } = await run({ scripted: (scripted) => scripted.say(flood) })
    assert.deepEqual(result, { kind: 'dirty', reason: 'barrier-too-long' })
  }
})

test('an ALERT is reported, and untagged data does not make a reset dirty', async () => {
  const alerts: string[] = []
  const { connection, scripted } = await loggedIn()
  const result = reset(connection, nothingLeft, {
    ...limits,
    onAlert: (line) => void alerts.push(line.trimEnd()),
  })
  const tag = await barrier(scripted, 'NOOP')
  scripted.say(`* OK [ALERT] disk is full\r\n* 4 EXISTS\r\n* OK [UIDNEXT 3] x\r\n${tag} OK done\r\n`)
  assert.deepEqual(await result, { kind: 'clean' })
  assert.deepEqual(alerts, ['* OK [ALERT] disk is full'])
})

test('every barrier has a different tag', async () => {
  const { connection, scripted } = await loggedIn()
  const tags = new Set<string>()
  for (let round = 0; round < 50; round++) {
    const result = reset(connection, nothingLeft, limits)
    const tag = await barrier(scripted, 'NOOP')
    tags.add(tag)
    assert.ok(tag.length > 16)
    scripted.say(`${tag} OK done\r\n`)
    assert.deepEqual(await result, { kind: 'clean' })
  }
  assert.equal(tags.size, 50)
})

test('data between the proof and the next handlers spoils the connection', async () => {
  const { connection, scripted } = await loggedIn()
  const result = reset(connection, nothingLeft, limits)
  const tag = await barrier(scripted, 'NOOP')
  // Like two records in one TLS segment: both arrive before any promise callback runs.
  connection.link.handler.onData(Buffer.from(`${tag} OK done\r\n`))
  connection.link.handler.onData(Buffer.from('* 3 EX'))
  assert.deepEqual(await result, { kind: 'clean' })
  assert.equal(connection.spoilReason, 'data-after-barrier')
})

test('a cached mailbox stays selected, unless it changes during the proof', async () => {
  const answer = { key: 'SELECT INBOX', lines: '', ok: 'OK', at: 0 }
  const cached = (connection: ServerConnection) => connection.rememberSelect(answer)
  const kept = await run({ prepare: cached, scripted: answering((tag) => `${tag} OK done\r\n`) })
  assert.deepEqual(kept.result, { kind: 'clean' })
  assert.equal(kept.connection.mailbox, answer)
  const changed = await run({
    prepare: cached,
    async scripted(scripted) {
      scripted.say(`* 5 EXISTS\r\n${await barrier(scripted, 'NOOP')} OK done\r\n`)
      scripted.say(`${await barrier(scripted, 'UNSELECT')} OK done\r\n`)
    },
  })
  assert.deepEqual(changed.result, { kind: 'clean' })
  assert.equal(changed.connection.mailbox, 'none')
})

test('a connection that has already ended is dirty immediately', async () => {
  const { connection, scripted } = await loggedIn()
  const { end } = hear(connection.link)
  scripted.socket.destroy()
  await end
  assert.deepEqual(await reset(connection, nothingLeft, { ...limits, timeoutMs: 600_000 }), {
    kind: 'dirty',
    reason: 'closed-by-peer',
  })
})

/** Answers to this one command are `* NAMESPACE …`. */
function namespaceFollower(): Followers & { kept: string } {
  const text = (bytes: Buffer, start: number, end: number) => bytes.toString('latin1', start, end)
  return {
    kept: '',
    send: () => 'E1 NAMESPACE\r\n',
    takeUntagged: (bytes, start, end) => text(bytes, start, end).startsWith('* NAMESPACE'),
    onKept(bytes) {
      this.kept += bytes.toString('latin1')
    },
    takeTagged: (bytes, start, end) => text(bytes, start, end).startsWith('E1 '),
  }
}

const followed: Record<string, { said: string; reason?: string; kept?: string }> = {
  'the answer comes first': {
    said: '* NAMESPACE a\r\nE1 OK done\r\nTAG OK done\r\n',
    kept: '* NAMESPACE a\r\n',
  },
  'the answer comes last': {
    said: 'TAG OK done\r\n* NAMESPACE a\r\nE1 OK done\r\n',
    kept: '* NAMESPACE a\r\n',
  },
  'the answer has a literal': {
    said: 'TAG OK done\r\n* NAMESPACE {3}\r\nabc x\r\n',
    kept: '* NAMESPACE {3}\r\nabc x\r\n',
  },
  'other data follows the barrier': { said: 'TAG OK done\r\n* 3 EXISTS\r\n', reason: 'data-after-barrier' },
  'another reply follows the barrier': {
    said: 'TAG OK done\r\nE2 OK done\r\n',
    reason: 'data-after-barrier',
  },
  'another reply precedes the barrier': { said: 'E2 OK done\r\nTAG OK done\r\n', reason: 'unexpected-reply' },
}

for (const [name, { said, reason, kept = '' }] of Object.entries(followed))
  test(`only answers to commands behind the barrier may follow its reply: ${name}`, async () => {
    const { connection, scripted } = await loggedIn()
    const running = beginReset(connection, nothingLeft, limits)
    const followers = namespaceFollower()
    assert.ok(running.follow(followers))
    assert.ok(!running.follow(namespaceFollower()), 'a second time')
    const tag = await barrier(scripted, 'NOOP')
    assert.equal(await scripted.line(), 'E1 NAMESPACE')
    scripted.say(said.replace('TAG', tag))
    const result = await running.result
    assert.deepEqual(result, reason === undefined ? { kind: 'clean' } : { kind: 'dirty', reason })
    if (reason === undefined) assert.equal(followers.kept, kept)
  })

test('no commands are sent behind a barrier that is not sent yet, has been answered, or has an answer like theirs', async () => {
  for (const [left, prepare] of [
    [{ unanswered: ['a'] }, () => {}],
    [{ hadBad: true }, () => {}],
    [
      {},
      (connection: ServerConnection) =>
        connection.rememberSelect({ key: 'SELECT a', lines: '', ok: 'OK', at: 0 }),
    ],
  ] as const) {
    const { connection } = await loggedIn()
    prepare(connection)
    assert.ok(!beginReset(connection, { ...nothingLeft, ...left }, limits).follow(namespaceFollower()))
  }
  const { connection, scripted } = await loggedIn()
  const running = beginReset(connection, nothingLeft, limits)
  scripted.say(`${await barrier(scripted, 'NOOP')} OK done\r\n`)
  await running.result
  assert.ok(!running.follow(namespaceFollower()))
})
