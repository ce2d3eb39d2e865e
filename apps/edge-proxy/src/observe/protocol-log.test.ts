import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { EdgeError } from '../errors.ts'
import { ProtocolLog } from './protocol-log.ts'

const directory = mkdtempSync(join(tmpdir(), 'imapfleet-trace-'))
after(() => rmSync(directory, { recursive: true }))

const order = { id: 't', user: 'joe', expiresAt: 1, bytesMax: 1, bodies: false }

function logAt(name: string): { log: ProtocolLog; read: () => string[] } {
  const file = join(directory, name)
  const log = new ProtocolLog(file)
  after(() => log.close())
  return { log, read: () => readFileSync(file, 'utf8').split('\n').slice(0, -1) }
}

test('each line says when, whose session, and who has said it; nobody else may read it', () => {
  const { log, read } = logAt('a.log')
  log.line(order, { at: 0, session: 's1', from: 'C', text: 'a NOOP' })
  log.line(order, { at: 1, session: 's1', from: 'S', text: 'a OK done' })
  log.line(order, { at: 2, session: 's1', from: '*', text: 'session ended' })
  log.ended(order, 'expired')
  assert.deepEqual(read().slice(0, 3), [
    '1970-01-01T00:00:00.000Z s1 joe CLIENT: a NOOP',
    '1970-01-01T00:00:00.001Z s1 joe SERVER: a OK done',
    '1970-01-01T00:00:00.002Z s1 joe EDGE: session ended',
  ])
  assert.match(read()[3]!, /^\S+ - joe EDGE: trace ended: expired$/)
  assert.equal(statSync(join(directory, 'a.log')).mode & 0o077, 0)
})

test('nothing that is traced can write a line of its own, or to a terminal', () => {
  const { log, read } = logAt('b.log')
  log.line({ ...order, user: 'jo\ne' }, { at: 0, session: 's1', from: 'C', text: 'x\r\nforged\x1b[2J\0' })
  assert.deepEqual(read(), ['1970-01-01T00:00:00.000Z s1 jo?e CLIENT: x??forged?[2J?'])
})

test('a log goes on behind what is there, and is emptied on demand', () => {
  logAt('c.log').log.line(order, { at: 0, session: 's1', from: 'C', text: 'first run' })
  const { log, read } = logAt('c.log')
  log.line(order, { at: 0, session: 's1', from: 'C', text: 'second run' })
  assert.equal(read().length, 2)
  log.clear()
  assert.deepEqual(read(), [])
  log.line(order, { at: 0, session: 's1', from: 'C', text: 'after' })
  assert.equal(read().length, 1)
})

test('a log that cannot be written is told with its path', () => {
  assert.throws(
    () => new ProtocolLog('/nowhere/at/all/trace.log'),
    (error: unknown) => {
      assert.ok(error instanceof EdgeError && error.code === 'trace_unwritable')
      assert.match(error.message, /trace\.file.*\/nowhere\/at\/all\/trace\.log.*ENOENT/)
      return true
    },
  )
})
