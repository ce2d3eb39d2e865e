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

test('a greeting is OK or it is none: PREAUTH, BYE and anything else end the connection', async () => {
  const greetings: [string, string][] = [
    ['* OK ready\r\n', 'line'],
    ['* ok ready\r\n', 'line'],
    ['* PREAUTH you are somebody\r\n', 'not-imap'],
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
    assert.equal(greeting.kind === 'line' ? 'line' : greeting.reason, expected, text)
    if (greeting.kind === 'broken') {
      assert.equal(greeting.detail, text.trimEnd())
      await scripted.closed()
    }
  }
})

test('a reply holds the status, the text, and all untagged lines before it', async () => {
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

test('each command is answered by its own tag; a forged one in a literal answers nothing', async () => {
  const { exchange, scripted } = await begin()
  for (const status of ['NO', 'BAD', 'OK'] as const) {
    const reply = exchange.command('NOOP')
    const tag = await tagOf(scripted)
    scripted.say(`* X {${tag.length + 6}}\r\n${tag} OK\r\n\r\n${tag} ${status} real\r\n`)
    const { status: got, text } = (await reply) as { status: string; text: string }
    assert.deepEqual([got, text], [status, 'real'])
  }
})

test('a reply to another tag, or to nobody, ends the connection', async () => {
  const { exchange, scripted } = await begin()
  const reply = exchange.command('NOOP')
  await scripted.line()
  scripted.say('zz OK done\r\n')
  assert.deepEqual(await reply, { kind: 'broken', reason: 'not-imap', detail: 'zz OK done' })
  await scripted.closed()
  assert.deepEqual(await exchange.command('NOOP'), await reply)
})

test('a server that says BYE is over at once, also when nothing was asked', async () => {
  const asked = await begin()
  const reply = asked.exchange.command('NOOP')
  asked.scripted.say('* BYE going down\r\n')
  assert.deepEqual(await reply, { kind: 'broken', reason: 'bye', detail: '* BYE going down' })
  const quiet = await begin()
  quiet.scripted.say('* OK ready\r\n')
  await quiet.exchange.greeting()
  quiet.scripted.say('* BYE going down\r\n')
  await quiet.scripted.closed()
  assert.equal(quiet.exchange.isQuiet, false)
})

test('a continuation is answered where an answer is meant, and an error where none is', async () => {
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
  assert.deepEqual(await unasked, { kind: 'broken', reason: 'not-imap', detail: '+ go on' })
})

test('a server that talks without end is stopped', async () => {
  const { exchange, scripted } = await begin()
  const reply = exchange.command('CAPABILITY')
  await scripted.line()
  const chunk = `* CAPABILITY ${'X'.repeat(60_000)}\r\n`
  for (let sent = 0; sent < 12; sent++) scripted.say(chunk)
  assert.deepEqual(await reply, { kind: 'broken', reason: 'too-much-data' })
  await scripted.closed()
})

test('the end of the connection, from either side, ends what is under way and all that is asked later', async () => {
  const { exchange, scripted } = await begin()
  const reply = exchange.command('NOOP')
  await scripted.line()
  scripted.socket.end()
  assert.deepEqual(await reply, { kind: 'broken', reason: 'closed-by-peer' })
  const other = await begin()
  const late = other.exchange.command('NOOP')
  other.exchange.break('timed-out')
  other.exchange.break('closed-here')
  assert.deepEqual(await late, { kind: 'broken', reason: 'timed-out' })
  assert.deepEqual(await other.exchange.greeting(), { kind: 'broken', reason: 'timed-out' })
  await other.scripted.closed()
})

test('it is quiet only when every byte of the server was asked for', async () => {
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
})
