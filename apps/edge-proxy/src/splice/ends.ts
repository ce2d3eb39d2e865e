/** The two ends of a splice, as its links see them. Classes, because a session would else make a dozen closures. */
import type { LineVerdict, ResponseKind, ResponseSink } from '../imap/response-scanner.ts'
import type { LinkEnd, LinkHandler } from '../link/link.ts'
import type { Splice } from './splice.ts'

export class ClientEnd implements LinkHandler {
  readonly #splice: Splice

  constructor(splice: Splice) {
    this.#splice = splice
  }

  onData(bytes: Buffer): void {
    this.#splice.fromClient(bytes)
  }

  onDrain(): void {
    this.#splice.clientDrained()
  }

  onFinish(): boolean {
    return this.#splice.clientFinishes()
  }

  onEnd(end: LinkEnd): void {
    this.#splice.end({ kind: 'client-gone', end })
  }
}

export class UpstreamEnd implements LinkHandler, ResponseSink {
  /** The scanner copies what it holds back; the rest is written to the client at once. */
  readonly borrows = true
  readonly #splice: Splice

  constructor(splice: Splice) {
    this.#splice = splice
  }

  onData(bytes: Buffer): void {
    this.#splice.fromUpstream(bytes)
  }

  onDrain(): void {
    this.#splice.upstreamDrained()
  }

  onEnd(end: LinkEnd): void {
    this.#splice.end({ kind: 'upstream-gone', end })
  }

  onResponse(kind: ResponseKind, bytes: Buffer, start: number, end: number): LineVerdict {
    return this.#splice.onResponse(kind, bytes, start, end)
  }

  onPass(bytes: Buffer): void {
    this.#splice.toClient(bytes)
  }
}
