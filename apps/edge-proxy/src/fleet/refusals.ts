/** Describes for operators which messages of this edge NATS refuses. */
import type { SendRefusal } from '@imapfleet/nats'

export type StreamKind = 'report' | 'trace' | 'evidence'

const names: Readonly<Record<StreamKind, string>> = {
  report: 'reports',
  trace: 'trace lines',
  evidence: 'messages about changed passwords',
}

const reasons: Readonly<Record<SendRefusal, string>> = {
  'share-full': 'the stream holds as many of this edge as it may',
  'stream-full': 'the stream is full',
  'not-allowed': 'the credential does not have the right; upgrade control, which grants it',
  'no-stream': 'no stream takes them; upgrade control, which makes it',
}

/** A sentence for each kind of message that is currently refused. */
export const refusalProblems = (
  refused: readonly (readonly [StreamKind, SendRefusal | undefined])[],
): string[] =>
  refused.flatMap(([sentAs, why]) =>
    why === undefined ? [] : [`NATS refuses its ${names[sentAs]}: ${reasons[why]}`],
  )
