/**
 * Copies of what was read, cut from large blocks: an allocation of its own for each read is what Node's sockets spend most
 * of their memory and much of their time on. A block lives for as long as one of its copies, so keep no small one for long.
 */
const blockBytes = 262_144

let block = Buffer.alloc(0)
let used = 0

/** The first `length` bytes of `source`, in memory that nobody else writes to. */
export function copyOf(source: Buffer, length: number): Buffer {
  if (used + length > block.length) {
    block = Buffer.allocUnsafeSlow(Math.max(blockBytes, length))
    used = 0
  }
  const from = used
  used += length
  source.copy(block, from, 0, length)
  return block.subarray(from, used)
}
