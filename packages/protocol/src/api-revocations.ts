/** Revocations as the control API takes and shows them. */
import { z } from 'zod'

export const revocationRequestSchema = z
  .object({
    /** `domain`: every user whose name ends in @subject. */
    kind: z.enum(['user', 'domain']),
    subject: z.string().trim().min(1).max(1024),
    note: z.string().max(1000).default(''),
  })
  .meta({ id: 'RevocationRequest' })
export type RevocationRequest = z.input<typeof revocationRequestSchema>

export const revocationRecordSchema = z
  .object({
    /** Grows; gaps mean nothing. */
    sequence: z.int(),
    kind: z.enum(['user', 'domain']),
    subject: z.string(),
    at: z.iso.datetime(),
    createdBy: z.string(),
    note: z.string(),
  })
  .meta({ id: 'Revocation' })
export type RevocationRecord = z.infer<typeof revocationRecordSchema>

/** How far it has come on each edge: until it is applied there, an old warm connection may still be handed out. */
export const revocationStatusSchema = z
  .object({
    revocation: revocationRecordSchema,
    edges: z.array(
      z.object({ id: z.string(), region: z.string(), status: z.enum(['applied', 'pending', 'silent']) }),
    ),
  })
  .meta({ id: 'RevocationStatus' })
export type RevocationStatus = z.infer<typeof revocationStatusSchema>

/** Newest first; `next` is the `before` of the following page. */
export const revocationListSchema = z.object({
  revocations: z.array(revocationRecordSchema),
  next: z.int().nullable(),
})
