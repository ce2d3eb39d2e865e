/** A mail that is too large to be held passes as without answer-ahead. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveConfig } from '@imapfleet/config'
import { edgeMetrics, Log, Metrics } from '@imapfleet/observe'
import { Link } from '../net/link.ts'
import { LoneTransport } from '../net/transport.test-support.ts'
import { connectionOver } from '../server/scripted-server.test-support.ts'
import { knowledgeOf, type WebmailPage } from './ahead.test-support.ts'
import { Splice } from './splice.ts'

/** Keeps the written chunks without copying them. */
class KeepingTransport extends LoneTransport {
  written: (Buffer | string)[] = []

  write(bytes: Buffer | string): boolean {
    this.written.push(bytes)
    return true
  }
}

const size = 4 << 20
const structure = 'UID FETCH 10 (UID RFC822.SIZE FLAGS BODYSTRUCTURE)'
const folders = 'LIST (SUBSCRIBED) "" "*"'
const body = 'UID FETCH 10 (BODY.PEEK[])'
/** A page that shows one message, whose size the edge knows. */
const page: WebmailPage = [
  ['SELECT INBOX', '3 EXISTS', '0 RECENT', `1 FETCH (UID 10 RFC822.SIZE ${size})`],
  [structure],
  [body],
  [folders],
]
const answers: Record<string, string> = {
  'SELECT INBOX': '* 3 EXISTS\r\n* 0 RECENT\r\n',
  [structure]: `* 1 FETCH (UID 10 RFC822.SIZE ${size} FLAGS () BODYSTRUCTURE ())\r\n`,
  [folders]: '* LIST () "." Sent\r\n',
}

const resolved = resolveConfig({ upstreams: { main: { hosts: ['127.0.0.1'] } } })
assert.ok(resolved.ok)
const { clients, pool } = resolved.config

/** Requests the message, and returns what the client gets for each chunk of it. */
function show(isAhead: boolean) {
  const [toClient, toServer] = [new KeepingTransport(), new KeepingTransport()]
  const [client, upstream] = [new Link(() => toClient), new Link(() => toServer)]
  const metrics = new Metrics(edgeMetrics)
  const setup = { upstream: 'main', mode: 'on' as const, roundTripMinMs: 0, identity: 'main joe' }
  const splice = new Splice(
    {
      settings: { current: { clients, pool } },
      metrics,
      log: new Log({ level: 'error', format: 'text' }, () => {}),
      clock: { now: () => 0 },
    },
    { client, connection: connectionOver(upstream, 'IMAP4REV1 UNSELECT ESEARCH') },
    { swap: () => undefined, onCondstore() {}, onEnd() {} },
    isAhead ? { ...setup, knowledge: knowledgeOf(page, page) } : undefined,
  )
  splice.start([], undefined)
  const asked: string[] = []
  /** The commands that have reached the server since the last call. */
  const arrived = (): string[][] => {
    const lines = toServer.written.map(String).join('').split('\r\n').slice(0, -1)
    toServer.written = []
    const commands = lines.map((line) => [
      line.slice(0, line.indexOf(' ')),
      line.slice(line.indexOf(' ') + 1),
    ])
    asked.push(...commands.map(([, text]) => text!))
    return commands
  }
  for (const [clientTag, text] of [
    ['a', 'SELECT INBOX'],
    ['b', structure],
  ] as const) {
    client.handler.onData(Buffer.from(`${clientTag} ${text}\r\n`))
    for (const [tag, command] of arrived())
      upstream.handler.onData(Buffer.from(`${answers[command!]!}${tag} OK done\r\n`))
  }
  client.handler.onData(Buffer.from(`c ${body}\r\n`))
  arrived()
  toClient.written = []
  const chunks = [`* 1 FETCH (UID 10 BODY[] {${size}}\r\n`, ...Array.from({ length: 64 }, () => '')].map(
    (head) => Buffer.concat([Buffer.from(head), Buffer.alloc(65_536 - head.length, 'x')]),
  )
  const pieces = chunks.map((chunk) => {
    upstream.handler.onData(chunk)
    return toClient.written.splice(0)
  })
  return { asked, chunks, pieces, counters: metrics.counters }
}

test('each chunk of a large mail goes to the client immediately, as a view of the server’s bytes', () => {
  for (const isAhead of [false, true]) {
    const { asked, chunks, pieces, counters } = show(isAhead)
    assert.equal(asked.includes(folders), isAhead)
    assert.equal(asked.filter((text) => text === body).length, 1, 'only the client asks for it')
    for (const [index, [piece, ...more]] of pieces.entries()) {
      const chunk = chunks[index]!
      assert.deepEqual(more, [])
      assert.ok(piece instanceof Buffer)
      // The whole chunk, not copied.
      assert.ok(piece.buffer === chunk.buffer)
      assert.deepEqual([piece.byteOffset, piece.length], [chunk.byteOffset, chunk.length])
    }
    assert.equal(counters.ahead_dropped_bytes_total({ upstream: 'main' }).value, 0)
  }
})
