import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { newId } from './new-id.ts'

test('an id is a UUID of version 4, and different each time', () => {
  const ids = Array.from({ length: 200 }, newId)
  for (const id of ids) assert.ok(z.uuidv4().safeParse(id).success, id)
  assert.equal(new Set(ids).size, ids.length)
})
