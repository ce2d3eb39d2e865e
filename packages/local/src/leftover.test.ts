import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { processOf, stopLeftovers, writePidFile } from './leftover.ts'
import { node } from './paths.ts'
import { scratchGround } from './scratch.ts'

test('a process that a pid file names is ended, and the file is removed', async () => {
  const { directory } = scratchGround()
  const child = spawn(node, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  const exit = once(child, 'exit')
  writePidFile(`${directory}/child.json`, child.pid ?? 0, 'SIGTERM')
  assert.equal(processOf(`${directory}/child.json`)?.pid, child.pid)
  await stopLeftovers(directory)
  assert.deepEqual(await exit, [null, 'SIGTERM'])
  assert.ok(!existsSync(`${directory}/child.json`))
})

test('a process that only has the number of an earlier one is not ended', async () => {
  const { directory } = scratchGround()
  const file = `${directory}/child.json`
  writePidFile(file, process.pid, 'SIGTERM')
  const entry = JSON.parse(readFileSync(file, 'utf8'))
  writeFileSync(file, JSON.stringify({ ...entry, started: 'at another time' }))
  assert.equal(processOf(file), undefined)
  await stopLeftovers(directory)
  assert.ok(!existsSync(file))
})

test('a damaged pid file names no process', async () => {
  const { directory } = scratchGround()
  for (const text of ['', '{', '{"pid":1}', '{"pid":-1,"started":"","stopSignal":"SIGTERM"}']) {
    writeFileSync(`${directory}/child.json`, text)
    assert.equal(processOf(`${directory}/child.json`), undefined)
  }
})
