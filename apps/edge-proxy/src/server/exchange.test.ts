import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acceptedLink, dialedLink } from '../net/wire.test-support.ts'
import { Exchange } from './exchange.ts'

async function begin(): Promise<{
  exchange: Exchange
  scripted: Awaited<ReturnType<typeof dialedLink>>['peer']
}> {
  const { link, peer } = await dialedLink()
  return { exchange: new Exchange(link), scripted: peer }
}

/** Reads a command and returns its tag. */
async function tagOf(scripted: { line(): Promise<string> }): Promise<string> {
  return (await scripted.line()).split(' ')[0]!
}

test('a greeting is OK; PREAUTH, BYE and anything else end the connection', async () => {
  const greetings: [string, string][] = [
    ['* OK ready\r\n', 'greeting'],
    ['* ok ready\r\n', 'greeting'],
    ['* PREAUTH welcome back\r\n', 'not-imap'],
    ['* BYE full\r\n', 'bye'],
    ['* 3 EXISTS\r\n', 'not-imap'],
    ['+ hello\r\n', 'not-imap'],
    ['SSH-2.0-OpenSSH_9.2\r\n', 'not-imap'],
    ['220 mail ESMTP\r\n', 'not-imap'],
    ['\r\n', 'not-imap'],
  ]
  for (const [text, expected] of greetings) {
    const { exchange, scripted } = await begin()
    scripted.say(text)
    const greeting = await exchange.greeting()
    assert.equal(greeting.kind === 'greeting' ? 'greeting' : greeting.reason, expected, text)
    if (greeting.kind === 'failed') {
      assert.equal(greeting.detail, text.trimEnd())
      await scripted.closed()
    }
  }
})

test('a reply has the status, the text, and all untagged lines before it', async () => {
  const { exchange, scripted } = await begin()
  const reply = exchange.command('CAPABILITY')
  const tag = await tagOf(scripted)
  scripted.say(
    `* CAPABILITY IMAP4rev1\r\n* LIST () "/" {9}\r\n${tag} OK no\r\n* 1 EXISTS\r\n${tag} ok [X] fine\r\n`,
  )
  assert.deepEqual(await reply, {
    kind: 'reply',
    status: 'OK',
    text: '[X] fine',
    untagged: ['* CAPABILITY IMAP4rev1', '* LIST () "/" {9}', '* 1 EXISTS'],
  })
})

test('only the tag of the command ends it; a forged reply in a literal does not', async () => {
  const { exchange, scripted } = await begin()
  for (const status of ['NO', 'BAD', 'OK'] as const) {
    const reply = exchange.command('NOOP')
    const tag = await tagOf(scripted)
    scripted.say(`* X {${tag.length + 6}}\r\n${tag} OK\r\n\r\n${tag} ${status} real\r\n`)
    const { status: got, text } = (await reply) as { status: string; text: string }
    assert.deepEqual([got, text], [status, 'real'])
  }
})

test('a reply with another tag ends the connection', async () => {
  const { exchange, scripted } = await begin()
  const reply = exchange.command('NOOP')
  await scripted.line()
  scripted.say('zz OK done\r\n')
  assert.deepEqual(await reply, { kind: 'failed', reason: 'not-imap', detail: 'zz OK done' })
  await scripted.closed()
  assert.deepEqual(await exchange.command('NOOP'), await reply)
})

test('a BYE ends the exchange immediately, also without a pending command', async () => {
  const asked = await begin()
  const reply = asked.exchange.command('NOOP')
  asked.scripted.say('* BYE going down\r\n')
  const bye = '* BYE going down'
  assert.deepEqual(await reply, { kind: 'failed', reason: 'bye', detail: bye, said: [bye] })
  const quiet = await begin()
  quiet.scripted.say('* OK ready\r\n')
  await quiet.exchange.greeting()
  quiet.scripted.say('* BYE going down\r\n')
  await quiet.scripted.closed()
  assert.equal(quiet.exchange.isQuiet, false)
})

test('a continuation request is answered if the command expects one, and is an error otherwise', async () => {
  const { exchange, scripted } = await begin()
  const asked: string[] = []
  const reply = exchange.command('X {3}', (text) => (asked.push(text), `part${asked.length}`))
  const tag = await tagOf(scripted)
  scripted.say('* 1 EXISTS\r\n+ first\r\n')
  assert.equal(await scripted.line(), 'part1')
  scripted.say('+ \r\n')
  assert.equal(await scripted.line(), 'part2')
  scripted.say(`${tag} OK done\r\n`)
  assert.equal((await reply).kind, 'reply')
  assert.deepEqual(asked, ['first', ''])

  const unasked = exchange.command('NOOP')
  scripted.say('+ go on\r\n')
  assert.deepEqual(await unasked, { kind: 'failed', reason: 'not-imap', detail: '+ go on' })
})

test('an endless reply is cut off', async () => {
  const { exchange, scripted } = await begin()
  const reply = exchange.command('CAPABILITY')
  await scripted.line()
  const chunk = `* CAPABILITY ${'X'.repeat(60_000)}\r\n`
  for (let sent = 0; sent < 12; sent++) scripted.say(chunk)
  assert.deepEqual(await reply, { kind: 'failed', reason: 'too-much-data' })
  await scripted.closed()
})

test('after the end of the connection, from either side, the present command and all later ones fail', async () => {
  const { exchange, scripted } = await begin()
  const reply = exchange.command('NOOP')
  await scripted.line()
  scripted.socket.end()
  assert.deepEqual(await reply, { kind: 'failed', reason: 'closed-by-peer' })
  const other = await begin()
  const late = other.exchange.command('NOOP')
  other.exchange.fail('timed-out')
  other.exchange.fail('closed-here')
  assert.deepEqual(await late, { kind: 'failed', reason: 'timed-out' })
  assert.deepEqual(await other.exchange.greeting(), { kind: 'failed', reason: 'timed-out' })
  await other.scripted.closed()
})

test('an exchange is quiet only if the server has sent nothing after its last reply', async () => {
  const { link, peer } = await acceptedLink()
  const exchange = new Exchange(link)
  const reply = exchange.command('STARTTLS')
  assert.equal(exchange.isQuiet, false)
  const tag = await tagOf(peer)
  peer.say(`${tag} OK go\r\n* CAPABIL`)
  await reply
  assert.equal(exchange.isQuiet, false)
  const next = exchange.command('NOOP')
  const nextTag = await tagOf(peer)
  peer.say(`ITY X\r\n${nextTag} OK\r\n`)
  await next
  assert.equal(exchange.isQuiet, true)
  const last = exchange.command('NOOP')
  peer.say(`${await tagOf(peer)} OK\r\n* OK a whole line\r\n`)
  await last
  assert.equal(exchange.isQuiet, false)
})

test('untagged lines between two replies, whole or in parts, belong to the second one', async () => {
  const { exchange, scripted } = await begin()
  scripted.say('* OK ready\r\n* OK [ALERT] first\r\n* OK [ALE')
  await exchange.greeting()
  const reply = exchange.command('NOOP')
  const tag = await tagOf(scripted)
  scripted.say(`RT] second\r\n${tag} OK done\r\n`)
  const untagged = ['* OK [ALERT] first', '* OK [ALERT] second']
  assert.deepEqual(await reply, { kind: 'reply', status: 'OK', text: 'done', untagged })
})

test('commands of `commandAhead` are sent in one segment with the next command, and each gets its own reply', async () => {
  const { exchange, scripted } = await begin()
  const ahead = [exchange.commandAhead('ID NIL'), exchange.commandAhead('ID ("a" "b")')]
  assert.equal(scripted.unread, '')
  const login = exchange.command('LOGIN {1}', () => 'x')
  assert.deepEqual([await scripted.line(), await scripted.line()], ['i1 ID NIL', 'i2 ID ("a" "b")'])
  assert.equal(await scripted.line(), 'i3 LOGIN {1}')
  scripted.say('* ID ("name" "x")\r\ni1 OK done\r\ni2 BAD again?\r\n+ go on\r\n')
  assert.equal(await scripted.line(), 'x')
  scripted.say('* OK [ALERT] news\r\ni3 OK in\r\n')
  const replies = [...(await Promise.all(ahead)), await login]
  assert.deepEqual(
    replies.map((reply) => reply.kind === 'reply' && [reply.status, reply.untagged]),
    [
      ['OK', ['* ID ("name" "x")']],
      ['BAD', []],
      ['OK', ['* OK [ALERT] news']],
    ],
  )
})

test('a tagged reply in the same segment as a BYE is the answer, unless it is OK', async () => {
  const refused = await begin()
  const no = refused.exchange.command('LOGIN joe x')
  refused.scripted.say(`* BYE too many failures\r\n${await tagOf(refused.scripted)} NO [LIMIT] no\r\n`)
  const untagged = ['* BYE too many failures']
  assert.deepEqual(await no, { kind: 'reply', status: 'NO', text: '[LIMIT] no', untagged })
  const accepted = await begin()
  const ok = accepted.exchange.command('LOGIN joe x')
  accepted.scripted.say(`* BYE going down\r\n${await tagOf(accepted.scripted)} OK in\r\n`)
  const failure = await ok
  assert.deepEqual(failure.kind === 'failed' && [failure.reason, failure.said], ['bye', ['* BYE going down']])
})

test('the next handler of a released link gets every byte after the last reply, whole or in parts', async () => {
  for (const [behind, more] of [
    ['', '* 1 EXISTS\r\n'],
    ['* OK [ALERT] x\r\n', ''],
    ['* OK [ALERT] x\r\n* 1 EX', 'ISTS\r\n'],
    ['* 1 EX', 'ISTS\r\n'],
  ] as const) {
    const { link, peer } = await dialedLink()
    const exchange = new Exchange(link)
    const reply = exchange.command('LOGIN joe x')
    peer.say(`${await tagOf(peer)} OK in\r\n${behind}`)
    await reply
    assert.equal(exchange.release(), undefined)
    peer.say(more)
    let got = ''
    const { promise, resolve } = Promise.withResolvers<void>()
    link.handler = {
      onData(bytes) {
        got += bytes.toString()
        if (got === behind + more) resolve()
      },
      onEnd() {},
    }
    link.resume()
    await promise
  }
})
