/** The two ends of a splice, as its links see them. Classes, because a session would else make a dozen closures. */
import type { LineVerdict, ResponseKind, ResponseSink } from '../imap/response-scanner.ts'
import type { LinkEnd, LinkHandler } from '../net/link.ts'
import type { Ending } from './ending.ts'

/** What lies between them. */
interface Joint {
  fromClient(bytes: Buffer): void
  clientDrained(): void
  /** The client has shut down its sending side. True: it is still being served. */
  clientFinishes(): boolean
  fromUpstream(bytes: Buffer): void
  upstreamDrained(): void
  onResponse(kind: ResponseKind, bytes: Buffer, start: number, end: number): LineVerdict
  toClient(bytes: Buffer): void
  end(ending: Ending): void
}

export class ClientEnd implements LinkHandler {
  readonly #joint: Joint

  constructor(joint: Joint) {
    this.#joint = joint
  }

  onData(bytes: Buffer): void {
    this.#joint.fromClient(bytes)
  }

  onDrain(): void {
    this.#joint.clientDrained()
  }

  onFinish(): boolean {
    return this.#joint.clientFinishes()
  }

  onEnd(end: LinkEnd): void {
    this.#joint.end({ kind: 'client-gone', end })
  }
}

export class ServerEnd implements LinkHandler, ResponseSink {
  /** The scanner copies what it holds back; the rest is written to the client at once. */
  readonly borrows = true
  readonly #joint: Joint

  constructor(joint: Joint) {
    this.#joint = joint
  }

  onData(bytes: Buffer): void {
    this.#joint.fromUpstream(bytes)
  }

  onDrain(): void {
    this.#joint.upstreamDrained()
  }

  onEnd(end: LinkEnd): void {
    this.#joint.end({ kind: 'upstream-gone', end })
  }

  onResponse(kind: ResponseKind, bytes: Buffer, start: number, end: number): LineVerdict {
    return this.#joint.onResponse(kind, bytes, start, end)
  }

  onPass(bytes: Buffer): void {
    this.#joint.toClient(bytes)
  }
}
