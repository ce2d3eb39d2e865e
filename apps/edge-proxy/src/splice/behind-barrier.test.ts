import assert from 'node:assert/strict'
import { test } from 'node:test'
import { edgeMetrics, Log, Metrics } from '@imapfleet/observe'
import { loggedIn } from '../server/scripted-server.test-support.ts'
import type { ServerConnection } from '../server/server-connection.ts'
import { knowledgeOf, status, statusAnswer, type WebmailPage } from './ahead.test-support.ts'
import type { AheadSetup } from './ahead-setup.ts'
import { BehindBarrier } from './behind-barrier.ts'

interface Arriving {
  pages: WebmailPage[]
  setup?: Partial<AheadSetup>
  prepare?: (connection: ServerConnection) => void
}

/** The questions behind the barrier for the next session, after the user has had these sessions. */
async function arriving({ pages, setup, prepare }: Arriving) {
  const { connection } = await loggedIn()
  prepare?.(connection)
  const metrics = new Metrics(edgeMetrics)
  const log = new Log({ level: 'error', format: 'text' }, () => {})
  const knowledge = knowledgeOf(...pages)
  const ahead = { upstream: 'main', mode: 'on' as const, roundTripMinMs: 0, identity: 'main joe' }
  const context = { metrics, log, clock: { now: () => 0 } }
  const behind = BehindBarrier.for({ ...ahead, knowledge, ...setup }, context, connection, 'a')
  const sent = behind?.send().trim().split('\r\n') ?? []
  const take = (line: string) => {
    const bytes = Buffer.from(line, 'latin1')
    return line.startsWith('* ')
      ? behind!.takeUntagged(bytes, 0, bytes.indexOf(10))
      : behind!.takeTagged(bytes, 0, bytes.indexOf(10))
  }
  const texts = sent.map((line) => line.slice(line.indexOf(' ') + 1))
  return { behind, texts, tags: sent.map((line) => line.split(' ')[0]!), take, counters: metrics.counters }
}

const folders = 'LIST (SUBSCRIBED) "" "*"'
const modseq = 'STATUS INBOX (HIGHESTMODSEQ)'

test('only questions that depend on no selected mailbox are sent behind a barrier, up to the first one that does', async () => {
  const cases: [page: WebmailPage, sent: string[]][] = [
    [
      [[status], [folders], ['NAMESPACE']],
      [status, folders, 'NAMESPACE'],
    ],
    [[[status], ['SELECT INBOX', '3 EXISTS'], [folders]], [status]],
    [[['SELECT INBOX', '3 EXISTS'], [folders]], []],
    [[['NOOP'], [status]], []],
    [[[modseq]], []],
  ]
  for (const [page, sent] of cases) assert.deepEqual((await arriving({ pages: [page, page] })).texts, sent)
})

test('no questions are sent behind a barrier if answer-ahead does not use the connection', async () => {
  const pages: WebmailPage[] = [[[status]], [[status]]]
  const cases: Omit<Arriving, 'pages'>[] = [
    { setup: { mode: 'learn' } },
    { setup: { roundTripMinMs: 50 } },
    { prepare: (connection) => connection.spoil('notify') },
    { prepare: (connection) => connection.enabledByOne(['QRESYNC'], 'QRESYNC') },
  ]
  for (const more of cases) assert.deepEqual((await arriving({ pages, ...more })).texts, [])
  const condstore = (connection: ServerConnection) => connection.condstoreEnabled()
  assert.deepEqual((await arriving({ pages: [[[modseq]]], prepare: condstore })).texts, [modseq])
})

test('responses are matched to questions by content, and each tagged reply once by its tag', async () => {
  const pages: WebmailPage[] = [
    [[status], [folders]],
    [[status], [folders]],
  ]
  const { behind, tags, take, counters } = await arriving({ pages })
  assert.ok(take(statusAnswer))
  behind!.onKept(Buffer.from(statusAnswer))
  for (const line of [
    '* 3 EXISTS\r\n',
    '* STATUS Sent (MESSAGES 1)\r\n',
    '* LSUB () "." a\r\n',
    'zz OK done\r\n',
  ])
    assert.ok(!take(line), line)
  assert.ok(take(`${tags[0]} OK counted\r\n`))
  assert.ok(!take(`${tags[0]} OK counted\r\n`))
  assert.ok(!take(statusAnswer), 'behind its reply')
  const [first, second] = behind!.takeOver()
  assert.deepEqual(first!.reply, { isOk: true, text: 'OK counted\r\n' })
  assert.equal(Buffer.concat(first!.asked.responses[0]!.chunks).toString(), statusAnswer)
  assert.equal(second!.reply, undefined)
  assert.equal(counters.ahead_asked_total({ upstream: 'main' }).value, 2)
  behind!.drop()
  behind!.drop()
  assert.equal(counters.ahead_dropped_total({ upstream: 'main', reason: 'session-ended' }).value, 2)
  assert.equal(counters.ahead_dropped_bytes_total({ upstream: 'main' }).value, statusAnswer.length)
})

test('an answer that is too large to be held is dropped', async () => {
  const { behind, take, counters } = await arriving({ pages: [[[folders]]] })
  for (let line = 0; line < 3; line++) {
    assert.ok(take('* LIST () "." a\r\n'))
    behind!.onKept(Buffer.alloc(100_000))
  }
  assert.equal(behind!.takeOver()[0]!.asked.state, 'void')
  assert.equal(counters.ahead_dropped_total({ upstream: 'main', reason: 'too-large' }).value, 1)
})
