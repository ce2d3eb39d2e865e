/** A transport without a connection: a test reads what is written. */
import type { Socket } from 'node:net'
import type { Transport } from './link.ts'

export abstract class LoneTransport implements Transport {
  readonly remoteAddress = '192.0.2.1'
  queuedBytes = 0

  abstract write(bytes: Buffer | string): boolean

  pause(): void {}
  resume(): void {}
  unshift(): void {}
  close(): void {}
  closeWhenWritten(): void {}
  whenClosed(): void {}
  detach(): Socket {
    throw new Error('there is no socket')
  }
}
