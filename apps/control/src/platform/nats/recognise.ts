/** Checks the sender of a message from an edge. */
import { decode, type EdgeAddress } from '@imapfleet/protocol'
import type { z } from 'zod'

/**
 * Decodes a message and compares its sender with its subject. An edge can publish only on its own subjects, so the
 * subject proves the sender.
 */
export function recognise<S extends z.ZodType<EdgeAddress>>(
  schema: S,
  message: { subject: string; data: Uint8Array },
  subjectOf: (value: z.infer<S>) => string,
): { ok: true; value: z.infer<S> } | { ok: false; reason: string } {
  const decoded = decode(schema, message.data)
  if (decoded.ok && subjectOf(decoded.value) !== message.subject)
    return { ok: false, reason: 'its sender differs from the one in its subject' }
  return decoded
}
