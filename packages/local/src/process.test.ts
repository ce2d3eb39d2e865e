import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { scratchGround, scratchProcess } from './scratch.ts'

const forever = 'setInterval(() => {}, 1000)'

/** Ready when the child has written this word to its log. */
const hasSaid = (word: string, directory: string) => async () =>
  readFileSync(`${directory}/logs/child.log`, 'utf8').includes(word)

test('a start resolves when the child is ready, and its output is in its log', async (t) => {
  const ground = scratchGround()
  const isReady = hasSaid('hello', ground.directory)
  const child = scratchProcess(t, ground, `console.log('hello'); ${forever}`, { isReady })
  await child.start()
  assert.ok(child.pid)
  assert.equal(readFileSync(child.logFile, 'utf8'), 'hello\n')
  assert.ok(existsSync(`${ground.directory}/pids/child.json`))
  await child.stop()
  assert.equal(child.pid, undefined)
  assert.ok(!existsSync(`${ground.directory}/pids/child.json`))
})

test('a child that ends before it is ready is reported with its last lines', async (t) => {
  const ground = scratchGround()
  const script = "console.error('port 1 is taken'); process.exit(7)"
  const child = scratchProcess(t, ground, script, { isReady: async () => false })
  await assert.rejects(child.start(), /child ended with status 7; .*child\.log:\n {4}port 1 is taken/s)
  assert.equal(child.pid, undefined)
})

test('a child that never gets ready is stopped and reported', async (t) => {
  const ground = scratchGround()
  const child = scratchProcess(t, ground, forever, { isReady: async () => false, readyWithinMs: 50 })
  await assert.rejects(child.start(), /child did not get ready in time/)
  assert.equal(child.pid, undefined)
})

test('an aborted start leaves nothing running', async (t) => {
  const abort = new AbortController()
  const isReady = async () => {
    abort.abort()
    return false
  }
  const child = scratchProcess(t, scratchGround(), forever, { isReady })
  await assert.rejects(child.start(abort.signal), { code: 'aborted' })
  assert.equal(child.pid, undefined)
})

test('a child that ignores SIGTERM is killed after the grace period', async (t) => {
  const ground = scratchGround()
  const script = `process.on('SIGTERM', () => {}); console.log('deaf'); ${forever}`
  const child = scratchProcess(t, ground, script, { isReady: hasSaid('deaf', ground.directory), graceMs: 50 })
  await child.start()
  await child.stop()
  assert.deepEqual(await child.exited(), { code: null, signal: 'SIGKILL' })
})

test('a child can be started again after kill -9, and continues the same log', async (t) => {
  const ground = scratchGround()
  const child = scratchProcess(t, ground, `console.log('up'); ${forever}`, {
    isReady: hasSaid('up', ground.directory),
  })
  await child.start()
  await child.kill()
  const first = readFileSync(child.logFile, 'utf8')
  await child.start()
  assert.ok(readFileSync(child.logFile, 'utf8').startsWith(first))
})
