/** Tags and names that nobody can guess: 96 bits each, drawn in bulk because each draw costs a system call. */
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
  // What was used is not left to be read in memory.
  for (const end = at + bytesPerName; at < end; at++) pool[at] = 0
  return name
}
