import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Client } from '../client/client.ts'
import { begin } from '../splice/session.test-support.ts'
import type { Splice } from '../splice/splice.ts'
import type { TraceEnd, TraceOrder, TraceSink } from '../observe/trace.ts'
import { ActiveSession, Sessions } from './sessions.ts'
import { Tracer } from './tracer.ts'

class Notes implements TraceSink {
  readonly lines: string[] = []
  readonly ends: string[] = []

  line(trace: TraceOrder, line: Parameters<TraceSink['line']>[1]): void {
    assert.equal(this.ends.length, 0, `a line behind the end: ${line.text}`)
    this.lines.push(`${trace.id} ${line.session} ${line.from} ${line.text}`)
  }

  ended(trace: TraceOrder, why: TraceEnd): void {
    this.ends.push(`${trace.id} ${why}`)
  }
}

const order = (id: string, more: Partial<TraceOrder> = {}): TraceOrder => ({
  id,
  user: 'joe',
  expiresAt: 10_000,
  bytesMax: 1_000_000,
  bodies: false,
  ...more,
})

class NamedSession extends ActiveSession {
  readonly #id: string

  constructor(id: string, user: string, splice: Splice) {
    super(user, {} as Client, splice)
    this.#id = id
  }

  override get id(): string {
    return this.#id
  }
}

/** A tracer over a register of sessions, which real sessions can be added to. */
function tracing(now: () => number = () => 0, age = now) {
  const sessions = new Sessions()
  const lines = { value: 0 }
  return {
    tracer: new Tracer(sessions, lines, now, age),
    sessions,
    lines,
    session: async (id: string, user: string) => {
      const session = await begin()
      session.scripted.socket.resume()
      const active = new NamedSession(id, user, session.splice)
      sessions.begin(active)
      return { ...session, active }
    },
  }
}

test('a trace has both directions of its user’s sessions, and no sessions of other users', async () => {
  const { tracer, lines, session } = tracing(() => 5000)
  const notes = new Notes()
  tracer.start(order('t'), notes)
  const [joe, jane] = [await session('s1', 'joe'), await session('s2', 'jane')]
  tracer.begin(joe.active, 'session began')
  tracer.begin(jane.active, 'session began')
  for (const { fromClient, fromServer } of [joe, jane]) {
    fromClient('a NOOP\r\n')
    fromServer('* 1 EXISTS\r\na OK done\r\n')
  }
  tracer.end(joe.active, 'session ended')
  tracer.end(jane.active, 'session ended')
  assert.deepEqual(notes.lines, [
    't s1 * session began',
    't s1 C a NOOP',
    't s1 S * 1 EXISTS',
    't s1 S a OK done',
    't s1 * session ended',
  ])
  assert.equal(lines.value, 5)
  assert.equal(jane.splice.tap, undefined)
})

test('a password that is sent again after login does not appear in a trace', async () => {
  const { tracer, session: sessionOf } = tracing()
  const session = await sessionOf('s', 'joe')
  const notes = new Notes()
  tracer.start(order('t', { bodies: true }), notes)
  tracer.begin(session.active, '')
  session.fromClient('a LOGIN joe hunter2\r\nb AUTHENTICATE PLAIN AGpvZQBodW50ZXIy\r\nc LOGIN joe {7}\r\n')
  session.fromClient('d PROXYAUTH hunter2\r\n')
  session.fromClient('e LOGIN\tjoe\thunter2\r\n"joe" hunter2\r\nLOGIN\tjoe\thunter2\r\n')
  const text = notes.lines.join('\n')
  assert.ok(text.includes('C a LOGIN') && text.includes('C b AUTHENTICATE'))
  assert.doesNotMatch(text, /hunter2|AGpv/)
})

test('a trace shows the commands after a literal that the server refused', async () => {
  const { tracer, session: sessionOf } = tracing()
  const session = await sessionOf('s', 'joe')
  const notes = new Notes()
  tracer.start(order('t'), notes)
  session.fromClient('a APPEND x {500}\r\n')
  session.fromServer('a NO [OVERQUOTA] no\r\n')
  session.fromClient('b NOOP\r\nc NOOP\r\n')
  assert.deepEqual(notes.lines.slice(1), [
    't s C a APPEND x {500} [500 bytes]',
    't s S a NO [OVERQUOTA] ... [2 bytes]',
    't s C b NOOP',
    't s C c NOOP',
  ])
})

test('a trace that begins within a mail does not show the mail', async () => {
  const { tracer, session: sessionOf } = tracing()
  const session = await sessionOf('s', 'joe')
  tracer.begin(session.active, '')
  session.fromClient('a APPEND x {20+}\r\nsecret\r\n')
  session.fromServer('* 1 FETCH (BODY[] {25}\r\nsecret\r\nsec')
  const notes = new Notes()
  tracer.start(order('t'), notes)
  session.fromClient('secret\r\nsecr\r\n')
  session.fromServer('ret\r\na1 OK x\r\n)\r\n')
  assert.deepEqual(notes.lines, ['t s * traced from here on', 't s C ', 't s S ... [1 bytes]'])
})

test('traces of the same user begin and end independently', async () => {
  const { tracer, session: sessionOf } = tracing()
  const session = await sessionOf('s', 'joe')
  const [one, two, all] = [new Notes(), new Notes(), new Notes()]
  tracer.begin(session.active, '')
  tracer.start(order('1'), one)
  session.fromServer('* 1 FETCH (BODY[] {12}\r\nsec')
  tracer.start(order('2'), two)
  session.fromServer('ret\r\n')
  tracer.stop('2', 'stopped')
  tracer.start(order('3', { bodies: true }), all)
  session.fromServer('sec\n)\r\n* 2 EXISTS\r\n')
  const said = (notes: Notes) => notes.lines.filter((line) => / s [CS] /.test(line))
  assert.deepEqual(said(one), ['1 s S * 1 FETCH (BODY[] {12} [12 bytes]', '1 s S )', '1 s S * 2 EXISTS'])
  assert.deepEqual(said(two), [])
  assert.deepEqual(all.lines.at(-1), '3 s S * 2 EXISTS')
  assert.deepEqual([one.ends, two.ends, all.ends], [[], ['2 stopped'], []])
})

test('a trace ends at its byte limit, and the session is no longer tapped', async () => {
  const { tracer, session: sessionOf } = tracing()
  const session = await sessionOf('s', 'joe')
  const notes = new Notes()
  tracer.start(order('t', { bytesMax: 100 }), notes)
  tracer.begin(session.active, '')
  session.fromServer('* 1 EXISTS\r\n'.repeat(5000))
  session.fromServer('* 2 EXISTS\r\n')
  assert.deepEqual(notes.ends, ['t byte-limit'])
  const bytes = notes.lines.join('').length
  assert.ok(bytes < 400, `${bytes} bytes`)
  assert.equal(session.splice.tap, undefined)
  assert.equal(tracer.active, 0)
})

test('a trace ends once when it expires', () => {
  let now = 9_999
  const { tracer } = tracing(() => now)
  const notes = new Notes()
  tracer.start(order('t'), notes)
  tracer.start(order('later', { expiresAt: 20_000 }), new Notes())
  tracer.sweep()
  assert.deepEqual(notes.ends, [])
  now = 10_000
  tracer.sweep()
  tracer.sweep()
  tracer.stop('t', 'stopped')
  assert.deepEqual(notes.ends, ['t expired'])
  assert.deepEqual([tracer.active, tracer.ids(), tracer.ids('jane')], [1, ['later'], []])
})

test('a change of the system’s time does not change the duration of a trace', () => {
  for (const stepMs of [-3_600_000, 3_600_000]) {
    let [wall, age] = [0, 500]
    const { tracer } = tracing(
      () => wall,
      () => age,
    )
    const notes = new Notes()
    tracer.start(order('t', { expiresAt: 1000 }), notes)
    wall += stepMs
    age += 999
    tracer.sweep()
    assert.deepEqual(notes.ends, [])
    age += 1
    tracer.sweep()
    assert.deepEqual(notes.ends, ['t expired'])
  }
})

test('a trace that is requested several times begins once', async () => {
  const { tracer, session: sessionOf } = tracing()
  const session = await sessionOf('s', 'joe')
  const notes = new Notes()
  tracer.begin(session.active, '')
  for (let time = 0; time < 3; time++) tracer.start(order('t'), notes)
  session.fromClient('a NOOP\r\n')
  assert.deepEqual(notes.lines, ['t s * traced from here on', 't s C a NOOP'])
})

test('a session that has ended is in no trace that begins later', async () => {
  const { tracer, session: sessionOf, sessions } = tracing()
  const session = await sessionOf('s', 'joe')
  tracer.begin(session.active, '')
  sessions.end(session.active)
  tracer.end(session.active, '')
  const notes = new Notes()
  tracer.start(order('t'), notes)
  assert.deepEqual(notes.lines, [])
})
