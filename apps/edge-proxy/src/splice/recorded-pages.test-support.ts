/**
 * For tests: browsing sessions of a webmail, recorded with a real server, are played again through a splice that
 * asks ahead. The server is a model of the mailboxes. Time passes in round trips, so the wait of a page is a count.
 */
import { readFileSync } from 'node:fs'
import { edgeMetrics, Log, Metrics } from '@imapfleet/observe'
import { resolveConfig } from '@imapfleet/config'
import type { Knowledge } from '../ahead/knowledge.ts'
import { Link } from '../net/link.ts'
import { LoneTransport } from '../net/transport.test-support.ts'
import { CondstoreFamilies } from '../pool/condstore-families.ts'
import { connectionOver } from '../server/scripted-server.test-support.ts'
import { ModelServer, type ModelMailbox } from './model-server.test-support.ts'
import { Splice } from './splice.ts'

export interface RecordedPage {
  kind: string
  what: string
  /** Mails delivered since the previous page, by mailbox. */
  arrived?: Record<string, number>
  /** The commands of each of its connections. The line end of a literal's announcement is part of a command. */
  sessions: string[][]
  /** Results of searches for words, by command. */
  found?: Record<string, string>
}

export interface RecordedSession {
  mailboxes: Record<string, ModelMailbox>
  pages: RecordedPage[]
}

export interface PlayedPage {
  kind: string
  commands: number
  /** Round trips in which the client waited. */
  waits: number
  asked: number
  used: number
  dropped: number
  /** What happened, as text for people. */
  story: string[]
}

/** @param name of a file in `recorded`: the first line has the mailboxes, each other line one page */
export function readRecorded(name: string): RecordedSession {
  const text = readFileSync(new URL(`recorded/${name}`, import.meta.url), 'utf8')
  const [first, ...lines] = text.trim().split('\n')
  return {
    mailboxes: (JSON.parse(first!) as { mailboxes: Record<string, ModelMailbox> }).mailboxes,
    pages: lines.map((line) => JSON.parse(line) as RecordedPage),
  }
}

class MemoryTransport extends LoneTransport {
  #written = ''

  write(bytes: Buffer | string): boolean {
    this.#written += typeof bytes === 'string' ? bytes : bytes.toString('latin1')
    return true
  }

  /** The bytes written since the last call. */
  take(): string {
    const text = this.#written
    this.#written = ''
    return text
  }
}

const resolved = resolveConfig({ upstreams: { main: { hosts: ['127.0.0.1'] } } })
if (!resolved.ok) throw new Error(JSON.stringify(resolved.problems))
const { clients, pool } = resolved.config

const family = 'roundcube'
const offered = 'IMAP4REV1 ID UNSELECT ESEARCH CONDSTORE SORT MOVE LITERAL+'

/** @param hintsOf the hints of a page that the client sends */
export function playRecorded(
  knowledge: Knowledge,
  recorded: RecordedSession,
  user: string,
  hintsOf: (page: RecordedPage) => ReadonlyMap<string, string> = () => new Map(),
): PlayedPage[] {
  const server = new ModelServer(recorded.mailboxes)
  const families = new CondstoreFamilies()
  return recorded.pages.map((page) => {
    for (const [mailbox, count] of Object.entries(page.arrived ?? {})) server.deliver(mailbox, count)
    server.found = new Map(Object.entries(page.found ?? {}))
    const played: PlayedPage = {
      kind: page.kind,
      commands: 0,
      waits: 0,
      asked: 0,
      used: 0,
      dropped: 0,
      story: [`${page.kind}: ${page.what}`],
    }
    for (const commands of page.sessions) {
      // Like the pool: this program gets a connection with CONDSTORE, because it has enabled CONDSTORE before.
      const hasCondstore = families.has(user, { family })
      const usesCondstore = playSession(
        knowledge,
        server,
        { user, hasCondstore },
        commands,
        hintsOf(page),
        played,
      )
      families.note(user, { family }, usesCondstore)
    }
    return played
  })
}

/** @returns whether the client has sent a command that enables CONDSTORE */
function playSession(
  knowledge: Knowledge,
  server: ModelServer,
  { user, hasCondstore }: { user: string; hasCondstore: boolean },
  commands: readonly string[],
  hints: ReadonlyMap<string, string>,
  played: PlayedPage,
): boolean {
  const metrics = new Metrics(edgeMetrics)
  const toClient = new MemoryTransport()
  const toServer = new MemoryTransport()
  const client = new Link(() => toClient)
  const upstream = new Link(() => toServer)
  const connection = connectionOver(upstream, offered)
  if (hasCondstore) connection.condstoreEnabled()
  let usesCondstore = false
  const splice = new Splice(
    {
      settings: { current: { clients, pool } },
      metrics,
      log: new Log({ level: 'error', format: 'text' }, (line) => played.story.push(line)),
      clock: { now: () => 0 },
    },
    { client, connection },
    {
      swap: () => undefined,
      onCondstore() {},
      onEnd: (_ending, handBack) => void (usesCondstore = handBack.usesCondstore === true),
    },
    { upstream: 'main', mode: 'on', roundTripMinMs: 0, knowledge, identity: user, hints },
  )
  splice.tap = {
    fromClient() {},
    fromServer() {},
    remark: (text) => played.story.push(`    ${text.replace('answer-ahead: ', '')}`),
  }
  splice.start([], undefined)
  server.connect()
  for (const [index, text] of commands.entries()) {
    const tag = `A${String(index + 2).padStart(4, '0')}`
    client.handler.onData(Buffer.from(`${tag} ${text}\r\n`, 'latin1'))
    const before = played.waits
    let answer = toClient.take()
    while (!new RegExp(`^${tag} `, 'm').test(answer)) {
      const sent = toServer.take()
      if (sent === '') throw new Error(`no answer to ${text}`)
      played.waits++
      played.story.push(`    to the server: ${sent.trim().split('\r\n').map(shortened).join(' | ')}`)
      for (const reply of server.answer(sent)) upstream.handler.onData(Buffer.from(reply, 'latin1'))
      answer += toClient.take()
    }
    played.commands++
    played.story.push(`${played.waits > before ? 'WAIT' : '    '} ${shortened(text)}`)
  }
  client.handler.onData(Buffer.from('Z LOGOUT\r\n'))
  for (const { name, value } of totals(metrics)) played[name] += value
  return usesCondstore
}

const shortened = (line: string): string => line.replace(/^E[0-9a-f]+ /, '').slice(0, 400)

function* totals(
  metrics: Metrics<typeof edgeMetrics>,
): Generator<{ name: 'asked' | 'used' | 'dropped'; value: number }> {
  const { counters } = metrics
  yield { name: 'asked', value: counters.ahead_asked_total({ upstream: 'main' }).value }
  yield { name: 'used', value: counters.ahead_used_total({ upstream: 'main' }).value }
  for (const reason of [
    'not-asked',
    'corrected',
    'too-large',
    'refused',
    'outdated',
    'anomaly',
    'session-ended',
  ] as const)
    yield { name: 'dropped', value: counters.ahead_dropped_total({ upstream: 'main', reason }).value }
}

/** Averages over these pages. */
export function pageFigures(pages: readonly PlayedPage[]): {
  waits: number
  dropped: number
  commands: number
} {
  const sum = (figure: (page: PlayedPage) => number) =>
    pages.reduce((total, page) => total + figure(page), 0) / pages.length
  return {
    waits: sum(({ waits }) => waits),
    dropped: sum(({ dropped }) => dropped),
    commands: sum(({ commands }) => commands),
  }
}
