import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { confirm } from './prompt.ts'
import { Failure } from './failure.ts'

const terminal = (isTTY: boolean) => {
  const stdin = Object.assign(new PassThrough(), { isTTY })
  const stderr = new PassThrough()
  return { stdin, stderr, shell: { stdin, stderr } as unknown as Parameters<typeof confirm>[1] }
}

for (const yes of ['y', 'yes', ' Y '])
  test(`"${yes}" confirms`, async () => {
    const { stdin, stderr, shell } = terminal(true)
    const asked = confirm('Forget eu-1?', shell)
    stdin.write(`${yes}\n`)
    await asked
    assert.match(String(stderr.read()), /^Forget eu-1\? \[y\/N\] /)
  })

for (const no of ['', 'n', 'eu-1', 'yesterday'])
  test(`"${no}" does not confirm`, async () => {
    const { stdin, shell } = terminal(true)
    const asked = confirm('Forget eu-1?', shell)
    stdin.write(`${no}\n`)
    await assert.rejects(
      asked,
      (error) => error instanceof Failure && error.message === 'nothing was changed',
    )
  })

test('the end of the input does not confirm', async () => {
  const { stdin, shell } = terminal(true)
  const asked = confirm('Forget eu-1?', shell)
  stdin.end()
  await assert.rejects(asked, { message: 'nothing was changed' })
})

test('without a terminal, the message says how to confirm', async () => {
  await assert.rejects(
    confirm('Forget eu-1?', terminal(false).shell),
    (error) => error instanceof Failure && error.kind === 'usage' && error.message.includes('--yes'),
  )
})
