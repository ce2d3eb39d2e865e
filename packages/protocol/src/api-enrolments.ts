/** Enrolments, as the control API creates and shows them: the NATS credential of an edge. */
import { configName } from '@imapfleet/config/names'
import { z } from 'zod'

export const enrolmentRequestSchema = z.object({ region: configName }).meta({ id: 'EnrolmentRequest' })
export type EnrolmentRequest = z.infer<typeof enrolmentRequestSchema>

export const enrolmentSchema = z
  .object({
    /** Public key of the credential. It starts with U. */
    key: z.string(),
    edge: z.string(),
    region: z.string(),
    createdBy: z.string(),
    createdAt: z.iso.datetime(),
    revokedBy: z.string().nullable(),
    revokedAt: z.iso.datetime().nullable(),
    /** When NATS received the revocation and closed connections that used the credential. Null: not yet. */
    enforcedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Enrolment' })
export type EnrolmentView = z.infer<typeof enrolmentSchema>

/** The only answer that contains the credential itself. */
export const enrolmentMadeSchema = enrolmentSchema.extend({ credentials: z.string() })
export type EnrolmentMade = z.infer<typeof enrolmentMadeSchema>

/** Newest first. `next` is the `before` of the next page. */
export const enrolmentListSchema = z.object({
  enrolments: z.array(enrolmentSchema),
  next: z.int().nullable(),
})
