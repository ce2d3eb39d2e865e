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

let loan: Buffer | undefined

/**
 * The first `length` bytes of `source`, until the next loan: much that only passes is then not left to the collector,
 * whose work it would otherwise be most of the cost of.
 */
export function lend(source: Buffer, length: number): Buffer {
  if (loan === undefined || loan.length < length) loan = Buffer.allocUnsafeSlow(Math.max(blockBytes, length))
  source.copy(loan, 0, 0, length)
  return loan.subarray(0, length)
}

/** Says that these bytes are needed for longer: if they are lent, nobody writes to them any more. */
export function keep(bytes: Buffer): void {
  if (loan !== undefined && bytes.buffer === loan.buffer) loan = undefined
}
