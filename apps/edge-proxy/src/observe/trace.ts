/** A trace: the protocol of one user's sessions, line by line, until it expires or reaches its byte limit. */

export interface TraceOrder {
  id: string
  user: string
  /** Milliseconds since 1970. */
  expiresAt: number
  /** The trace ends after this number of characters. */
  bytesMax: number
  /** Whether mail is shown. Otherwise only its length is shown. */
  bodies: boolean
}

export interface TracedLine {
  /** Milliseconds since 1970. */
  at: number
  session: string
  /** Sent by the client, by the server, or a remark of the edge. */
  from: 'C' | 'S' | '*'
  text: string
}

export type TraceEnd = 'expired' | 'stopped' | 'byte-limit' | 'edge-stopped'

/** The destination of traced lines: the protocol log, or the fleet. */
export interface TraceSink {
  line(trace: TraceOrder, line: TracedLine): void
  ended(trace: TraceOrder, why: TraceEnd): void
}
