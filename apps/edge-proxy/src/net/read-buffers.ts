/**
 * Copies received bytes, because the next read overwrites the read buffer. The copies are cut from large blocks, because the
 * allocation for each read is most of the CPU time of Node's sockets (docs/adr/0008-lent-bytes.md).
 */
const blockBytes = 262_144

let ownedBlock = Buffer.alloc(0)
let ownedTo = 0

/**
 * Copies the first `length` bytes of `source` to memory that is not overwritten. A block is freed when none of its copies is in
 * use, so do not keep a small copy for long.
 */
export function ownedCopy(source: Buffer, length: number): Buffer {
  if (ownedTo + length > ownedBlock.length) {
    ownedBlock = Buffer.allocUnsafeSlow(Math.max(blockBytes, length))
    ownedTo = 0
  }
  const from = ownedTo
  ownedTo += length
  source.copy(ownedBlock, from, 0, length)
  return ownedBlock.subarray(from, ownedTo)
}

let borrowedBlock = Buffer.alloc(0)
/** Start of the current borrowed copy. The bytes before it are retained. */
let borrowedFrom = 0
let borrowedTo = 0

/**
 * Copies the first `length` bytes of `source`. The copy is valid until the next borrowed copy is made. Bytes that are only
 * forwarded therefore create no garbage. Its collection would be most of the cost of forwarding.
 */
export function borrowedCopy(source: Buffer, length: number): Buffer {
  if (borrowedFrom + length > borrowedBlock.length) {
    borrowedBlock = Buffer.allocUnsafeSlow(Math.max(blockBytes, length))
    borrowedFrom = 0
  }
  borrowedTo = borrowedFrom + length
  source.copy(borrowedBlock, borrowedFrom, 0, length)
  return borrowedBlock.subarray(borrowedFrom, borrowedTo)
}

/**
 * Keeps bytes of the current borrowed copy valid: the next copy is made after them. With a new block for each retained copy, the
 * garbage collector would count 256 KB for each waiting kilobyte, and run too often.
 */
export function retain(bytes: Buffer): void {
  if (bytes.buffer === borrowedBlock.buffer) borrowedFrom = borrowedTo
}
