import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { wordsOfIssue } from './problem.ts'

test('the words for an issue of any schema say what the value must be, and do not quote it', () => {
  const words = (schema: z.ZodType, value: unknown) =>
    schema.safeParse(value, { error: wordsOfIssue }).error?.issues[0]?.message
  assert.equal(words(z.uuid(), 'secret'), 'must be a UUID')
  assert.equal(words(z.string().min(1), ''), 'must not be empty')
  assert.equal(words(z.string().min(8), 'secret'), 'must be at least 8 characters')
  assert.equal(words(z.string().max(3), 'secret'), 'must be at most 3 characters')
  assert.equal(words(z.array(z.string()).min(1), []), 'must be at least 1 entry')
  assert.equal(words(z.int(), 1.5), 'must be a whole number')
  assert.equal(words(z.string(), undefined), 'is missing; it must be text')
  assert.equal(words(z.enum(['a', 'b']), 'secret'), 'must be one of a, b')
  assert.equal(words(z.string().min(1, 'say why'), ''), 'say why')
  assert.equal(words(z.email(), 'secret'), 'Invalid email address')
})
