import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { node } from './paths.ts'
import { removeTemporaryDirectory, temporaryDirectory } from './temporary-directory.ts'

const module = JSON.stringify(new URL('temporary-directory.ts', import.meta.url).href)
const parent = temporaryDirectory('parent')

/** A process that makes a directory with a file in it and prints its path, and then does as `then` says. */
async function maker(then: string) {
  const script = `
    import { writeFileSync } from 'node:fs'
    import { temporaryDirectory } from ${module}
    const directory = temporaryDirectory('made', ${JSON.stringify(parent)})
    writeFileSync(directory + '/file', 'x')
    console.log(directory)
    ${then}`
  const child = spawn(node, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'ignore'] })
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, directory: said.toString().trim(), ended: once(child, 'exit') }
}

const forever = 'setInterval(() => {}, 1000)'

test('a directory is removed when its process ends', async () => {
  const { directory, ended } = await maker('')
  await ended
  assert.equal(existsSync(directory), false)
})

test('a directory is removed when its process throws', async () => {
  const { directory, ended } = await maker("setTimeout(() => { throw new Error('a bug') }, 10)")
  assert.deepEqual(await ended, [1, null])
  assert.equal(existsSync(directory), false)
})

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  test(`a directory is removed after ${signal}, and the signal ends the process`, async () => {
    const { child, directory, ended } = await maker(forever)
    assert.equal(statSync(directory).mode & 0o777, 0o755)
    child.kill(signal)
    assert.deepEqual(await ended, [null, signal])
    assert.equal(existsSync(directory), false)
  })

test('a process that handles a signal stops in order, and its directory is removed afterwards', async () => {
  const { child, directory, ended } = await maker(`${forever}
    process.once('SIGTERM', () => setTimeout(() => process.exit(7), 20))`)
  child.kill('SIGTERM')
  assert.deepEqual(await ended, [7, null])
  assert.equal(existsSync(directory), false)
})

test('the next process removes the directory of a killed process, and no directory of a living process or another program', async () => {
  const killed = await maker(forever)
  killed.child.kill('SIGKILL')
  await killed.ended
  assert.equal(existsSync(killed.directory), true)
  const foreign = join(parent, 'imapfleet-someone-else')
  mkdirSync(foreign)
  const living = await maker(forever)
  const next = await maker('')
  await next.ended
  assert.equal(existsSync(killed.directory), false)
  assert.equal(existsSync(living.directory), true)
  assert.equal(existsSync(foreign), true)
  living.child.kill()
  await living.ended
})

test('a directory can be removed before its process ends', async () => {
  const directory = temporaryDirectory('early')
  await removeTemporaryDirectory(directory)
  assert.equal(existsSync(directory), false)
})
