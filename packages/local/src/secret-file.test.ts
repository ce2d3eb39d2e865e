import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { scratchGround } from './scratch.ts'
import { keepSecret, writePrivate } from './secret-file.ts'

test('a secret is created once, stays the same, and is readable only by its owner', () => {
  const { directory } = scratchGround()
  const secret = keepSecret(`${directory}/token`)
  assert.ok(secret.length >= 32)
  assert.equal(keepSecret(`${directory}/token`), secret)
  assert.notEqual(keepSecret(`${directory}/other`), secret)
  assert.equal(statSync(`${directory}/token`).mode & 0o777, 0o600)
})

test('an empty secret is replaced', () => {
  const { directory } = scratchGround()
  writeFileSync(`${directory}/token`, '')
  assert.notEqual(keepSecret(`${directory}/token`), '')
})

test('a file that others can read is replaced by one that only its owner can read', () => {
  const { directory } = scratchGround()
  writeFileSync(`${directory}/file`, 'old', { mode: 0o644 })
  writePrivate(`${directory}/file`, 'new')
  assert.equal(readFileSync(`${directory}/file`, 'utf8'), 'new')
  assert.equal(statSync(`${directory}/file`).mode & 0o777, 0o600)
})
