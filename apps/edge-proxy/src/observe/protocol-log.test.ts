import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { EdgeError } from '../errors.ts'
import { ProtocolLog } from './protocol-log.ts'

const directory = temporaryDirectory('trace')

const order = { id: 't', user: 'joe', expiresAt: 1, bytesMax: 1, bodies: false }

function logAt(name: string): { log: ProtocolLog; read: () => string[] } {
  const file = join(directory, name)
  const log = new ProtocolLog(file)
  after(() => log.close())
  return { log, read: () => readFileSync(file, 'utf8').split('\n').slice(0, -1) }
}

test('each line has the time, the session, the user and the sender, and only the owner may read the file', () => {
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

test('traced text cannot forge a line or control a terminal', () => {
  const { log, read } = logAt('b.log')
  log.line({ ...order, user: 'jo\ne' }, { at: 0, session: 's1', from: 'C', text: 'x\r\nforged\x1b[2J\0' })
  assert.deepEqual(read(), ['1970-01-01T00:00:00.000Z s1 jo?e CLIENT: x??forged?[2J?'])
})

test('lines are appended to the lines of an earlier run, and clear() empties the file', () => {
  logAt('c.log').log.line(order, { at: 0, session: 's1', from: 'C', text: 'first run' })
  const { log, read } = logAt('c.log')
  log.line(order, { at: 0, session: 's1', from: 'C', text: 'second run' })
  assert.equal(read().length, 2)
  assert.equal(log.clear(), undefined)
  assert.deepEqual(read(), [])
  log.line(order, { at: 0, session: 's1', from: 'C', text: 'after' })
  assert.equal(read().length, 1)
})

const said = (text: string) => ({ at: 0, session: 's1', from: 'C', text }) as const

/** Makes a directory read-only for the call. Root may write to any directory, so the process changes to another user. */
function withoutRightsTo<Result>(path: string, act: () => Result): Result {
  const isRoot = process.getuid?.() === 0
  if (isRoot) process.seteuid!(65_534)
  else chmodSync(path, 0o500)
  try {
    return act()
  } finally {
    if (isRoot) process.seteuid!(0)
    else chmodSync(path, 0o700)
  }
}

test('after the file was renamed, reopen() leaves it unchanged and writes to a new file with the same name', () => {
  const { log, read } = logAt('d.log')
  const file = join(directory, 'd.log')
  log.line(order, said('before'))
  const moved = readFileSync(file)
  renameSync(file, `${file}.1`)
  log.line(order, said('between'))
  assert.equal(log.reopen(), undefined)
  log.line(order, said('after'))
  assert.deepEqual(read(), ['1970-01-01T00:00:00.000Z s1 joe CLIENT: after'])
  assert.equal(statSync(file).mode & 0o777, 0o600)
  const rotated = readFileSync(`${file}.1`, 'utf8')
  assert.ok(rotated.startsWith(moved.toString()))
  assert.equal(rotated.split('\n').length, 3, 'both lines from before, and nothing from after')
})

test('if the file was not renamed, reopen() continues at its end', () => {
  const { log, read } = logAt('e.log')
  log.line(order, said('before'))
  assert.equal(log.reopen(), undefined)
  log.line(order, said('after'))
  assert.equal(read().length, 2)
})

test('if the file cannot be opened, reopen() returns the reason, and lines still go to the old file', () => {
  const own = join(directory, 'own')
  mkdirSync(own)
  const file = join(own, 'f.log')
  const log = new ProtocolLog(file)
  after(() => log.close())
  renameSync(file, `${file}.1`)
  const goesOn = (reason: string | undefined, code: string, line: string) => {
    assert.match(reason ?? '', new RegExp(`^cannot open .*f\\.log: ${code}; lines still go to the old file$`))
    log.line(order, said(line))
    assert.match(readFileSync(`${file}.1`, 'utf8'), new RegExp(`CLIENT: ${line}\n$`))
  }
  mkdirSync(file)
  goesOn(log.reopen(), 'EISDIR', 'a directory has its name')
  rmSync(file, { recursive: true })
  goesOn(
    withoutRightsTo(own, () => log.reopen()),
    'EACCES',
    'as after privileges were dropped',
  )
  assert.equal(existsSync(file), false)
})

test('the error for a log that cannot be written has its path', () => {
  assert.throws(
    () => new ProtocolLog('/nowhere/at/all/trace.log'),
    (error: unknown) => {
      assert.ok(error instanceof EdgeError && error.code === 'trace_unwritable')
      assert.match(error.message, /trace\.file.*\/nowhere\/at\/all\/trace\.log.*ENOENT/)
      return true
    },
  )
})
