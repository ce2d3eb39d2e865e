import assert from 'node:assert/strict'
import { test } from 'node:test'
import { borrowedCopy, ownedCopy, retain } from './read-buffers.ts'

const filled = (length: number, byte: number) => Buffer.alloc(length, byte)

test('borrowed bytes are valid until the next copy, and permanently if any part of them is retained', () => {
  const first = borrowedCopy(filled(2000, 1), 2000)
  const second = borrowedCopy(filled(3000, 2), 3000)
  assert.ok(first.equals(second.subarray(0, 2000)))
  retain(second.subarray(10, 20))
  const third = borrowedCopy(filled(65_536, 3), 65_536)
  assert.ok(second.equals(filled(3000, 2)))
  assert.ok(third.equals(filled(65_536, 3)))
})

test('retained bytes do not change, at any size and at the end of a block', () => {
  const all: [Buffer, Buffer][] = []
  for (let round = 0; round < 500; round++) {
    const source = filled(1 + ((round * 7919) % 65_536), round)
    const borrowed = borrowedCopy(source, source.length)
    if (round % 3 === 0) continue
    retain(borrowed)
    all.push([borrowed, source])
  }
  for (const [borrowed, source] of all) assert.ok(borrowed.equals(source))
})

test('small retained copies share a block', () => {
  const blocks = new Set<ArrayBufferLike>()
  for (let round = 0; round < 250; round++) {
    const borrowed = borrowedCopy(filled(1024, round), 1024)
    retain(borrowed)
    blocks.add(borrowed.buffer)
  }
  assert.ok(blocks.size <= 2, `${blocks.size} blocks of 256 KB for 250 KB`)
})

test('retaining other bytes changes nothing, and an owned copy is never overwritten', () => {
  const borrowed = borrowedCopy(filled(1000, 1), 1000)
  const copy = ownedCopy(filled(1000, 2), 1000)
  retain(copy)
  retain(Buffer.alloc(0))
  assert.equal(borrowedCopy(filled(1000, 3), 1000).buffer, borrowed.buffer)
  assert.ok(borrowed.equals(filled(1000, 3)))
  assert.ok(copy.equals(filled(1000, 2)))
})
