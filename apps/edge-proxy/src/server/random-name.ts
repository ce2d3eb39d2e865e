/** Unguessable tags and mailbox names: 96 bits each, drawn in bulk because each draw is a system call. */
import { randomFillSync } from 'node:crypto'

const bytesPerName = 12
const pool = Buffer.alloc(bytesPerName * 512)
let at = pool.length

export function randomName(prefix: string): string {
  if (at === pool.length) {
    randomFillSync(pool)
    at = 0
  }
  const name = prefix + pool.toString('hex', at, at + bytesPerName)
  // So that used bytes cannot be read from memory later.
  for (const end = at + bytesPerName; at < end; at++) pool[at] = 0
  return name
}
