/** Is this message what it claims to be? */
import { decode, type EdgeAddress } from '@imapfleet/protocol'
import type { z } from 'zod'

/**
 * Decodes a message and holds it against the subject it came by: an edge may only publish on its own subjects, so it
 * is the subject that proves the sender.
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
