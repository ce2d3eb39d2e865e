/** Checks the sender of a message from an edge. */
import { decode, type EdgeAddress } from '@imapfleet/protocol'
import type { z } from 'zod'

/** `foreign`: the sender differs from the one in the subject, which NATS has checked. */
export type Recognised<T> =
  { ok: true; value: T } | { ok: false; kind: 'malformed' | 'foreign'; reason: string }

/**
 * Decodes a message and compares its sender with its subject. An edge can publish only on its own subjects, so the
 * subject proves the sender.
 */
export function recognise<S extends z.ZodType<EdgeAddress>>(
  schema: S,
  message: { subject: string; data: Uint8Array },
  subjectOf: (value: z.infer<S>) => string,
): Recognised<z.infer<S>> {
  const decoded = decode(schema, message.data)
  if (!decoded.ok) return { ...decoded, kind: 'malformed' }
  if (subjectOf(decoded.value) !== message.subject)
    return { ok: false, kind: 'foreign', reason: 'its sender differs from the sender in its subject' }
  return decoded
}
