/** Revocations, as the control API accepts and shows them. */
import { z } from 'zod'

export const revocationRequestSchema = z
  .object({
    /** `domain`: all users whose name ends in @subject. */
    kind: z.enum(['user', 'domain']),
    subject: z.string().trim().min(1).max(1024),
    note: z.string().max(1000).default(''),
  })
  .meta({ id: 'RevocationRequest' })
export type RevocationRequest = z.input<typeof revocationRequestSchema>

export const revocationRecordSchema = z
  .object({
    /** Increases with each revocation. Gaps have no meaning. */
    sequence: z.int(),
    kind: z.enum(['user', 'domain']),
    subject: z.string(),
    at: z.iso.datetime(),
    createdBy: z.string(),
    note: z.string(),
  })
  .meta({ id: 'Revocation' })
export type RevocationRecord = z.infer<typeof revocationRecordSchema>

/** Progress on each edge. Until an edge has applied it, the edge may still reuse an old connection. */
export const revocationStatusSchema = z
  .object({
    revocation: revocationRecordSchema,
    edges: z.array(
      z.object({ id: z.string(), region: z.string(), status: z.enum(['applied', 'pending', 'silent']) }),
    ),
  })
  .meta({ id: 'RevocationStatus' })
export type RevocationStatus = z.infer<typeof revocationStatusSchema>

/** Newest first. `next` is the `before` of the next page. */
export const revocationListSchema = z.object({
  revocations: z.array(revocationRecordSchema),
  next: z.int().nullable(),
})
