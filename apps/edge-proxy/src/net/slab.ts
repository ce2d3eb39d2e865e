/**
 * What was read, out of the buffer that the next read overwrites. An allocation of its own for each read is what Node's
 * sockets spend most of their memory and much of their time on.
 */
const blockBytes = 262_144

let block = Buffer.alloc(0)
let used = 0

/**
 * The first `length` bytes of `source`, in memory that nobody else writes to: cut from a large block, which lives for as
 * long as one of its copies, so keep no small one for long.
 */
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

let lent = Buffer.alloc(0)
/** What lies before it in `lent` is kept. */
let loanFrom = 0
let loanTo = 0

/**
 * The first `length` bytes of `source`, until the next loan: much that only passes is then not left to the collector,
 * whose work it would otherwise be most of the cost of.
 */
export function lend(source: Buffer, length: number): Buffer {
  if (loanFrom + length > lent.length) {
    lent = Buffer.allocUnsafeSlow(Math.max(blockBytes, length))
    loanFrom = 0
  }
  loanTo = loanFrom + length
  source.copy(lent, loanFrom, 0, length)
  return lent.subarray(loanFrom, loanTo)
}

/**
 * Says that these bytes are needed for longer: if they are lent, nobody writes to the present loan any more. The next one
 * lies behind it: a block of its own for each 1 KB that waits would have the collector count, and hurry, for 256 KB.
 */
export function keep(bytes: Buffer): void {
  if (bytes.buffer === lent.buffer) loanFrom = loanTo
}
