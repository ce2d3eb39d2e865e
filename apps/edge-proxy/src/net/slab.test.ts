import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copyOf, keep, lend } from './slab.ts'

const filled = (length: number, byte: number) => Buffer.alloc(length, byte)

test('a loan lasts until the next one, and for ever when it is kept, whole', () => {
  const first = lend(filled(2000, 1), 2000)
  const second = lend(filled(3000, 2), 3000)
  assert.ok(first.equals(second.subarray(0, 2000)))
  keep(second.subarray(10, 20))
  const third = lend(filled(65_536, 3), 65_536)
  assert.ok(second.equals(filled(3000, 2)))
  assert.ok(third.equals(filled(65_536, 3)))
})

test('all that is kept stays as it was, at any size and also where a block ends', () => {
  const all: [Buffer, Buffer][] = []
  for (let round = 0; round < 500; round++) {
    const source = filled(1 + ((round * 7919) % 65_536), round)
    const loan = lend(source, source.length)
    if (round % 3 === 0) continue
    keep(loan)
    all.push([loan, source])
  }
  for (const [loan, source] of all) assert.ok(loan.equals(source))
})

test('small ones that are kept share a block', () => {
  const blocks = new Set<ArrayBufferLike>()
  for (let round = 0; round < 250; round++) {
    const loan = lend(filled(1024, round), 1024)
    keep(loan)
    blocks.add(loan.buffer)
  }
  assert.ok(blocks.size <= 2, `${blocks.size} blocks of 256 KB for 250 KB`)
})

test('what is no loan is not taken for one, and a copy is nobody else’s', () => {
  const loan = lend(filled(1000, 1), 1000)
  const copy = copyOf(filled(1000, 2), 1000)
  keep(copy)
  keep(Buffer.alloc(0))
  assert.equal(lend(filled(1000, 3), 1000).buffer, loan.buffer)
  assert.ok(loan.equals(filled(1000, 3)))
  assert.ok(copy.equals(filled(1000, 2)))
})
