/** Enrolments, as the control API creates and shows them: the NATS credential of an edge. */
import { configName } from '@imapfleet/config/names'
import { z } from 'zod'
import { numberedPage } from './pages.ts'
import { route } from './route.ts'

export const enrolmentRequestSchema = z
  .object({
    region: configName,
    /** If left out, the credential is valid until it is revoked. */
    expiresInSeconds: z.int().min(60).max(315_360_000).optional(),
  })
  .meta({ id: 'EnrolmentRequest' })
export type EnrolmentRequest = z.infer<typeof enrolmentRequestSchema>

export const enrolmentSchema = z
  .object({
    /** Public key of the credential. It starts with U. */
    key: z.string(),
    edge: z.string(),
    region: z.string(),
    createdBy: z.string(),
    createdAt: z.iso.datetime(),
    /** NATS refuses it from then on. Null: it does not expire. */
    expiresAt: z.iso.datetime().nullable(),
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

const ofEdge = z.object({ id: configName })
const credentialKey = z.string().regex(/^U[A-Z2-7]{55}$/, 'is not a public key U...')

export const enrolmentRoutes = {
  enrollEdge: route({
    method: 'POST',
    path: '/v1/edges/{id}/enrolments',
    tag: 'access',
    summary: 'Issue a credential for an edge; only this answer shows it',
    role: 'admin',
    limits: 'unlimited-only',
    secret: true,
    params: ofEdge,
    body: enrolmentRequestSchema,
    status: 201,
    answer: enrolmentMadeSchema,
    returns: 'The credential',
  }),
  listEnrolments: route({
    method: 'GET',
    path: '/v1/enrolments',
    tag: 'access',
    summary: 'All credentials of edges, newest first',
    role: 'admin',
    limits: 'unlimited-only',
    query: numberedPage.extend({ edge: configName.optional() }),
    answer: enrolmentListSchema,
    returns: 'Enrolments',
  }),
  revokeEnrolments: route({
    method: 'DELETE',
    path: '/v1/edges/{id}/enrolments',
    tag: 'access',
    summary: 'Revoke all credentials of an edge, or the one with this key; NATS closes its connection',
    role: 'admin',
    limits: 'unlimited-only',
    params: ofEdge,
    query: z.object({ key: credentialKey.optional() }),
    answer: enrolmentListSchema,
    returns: 'Its revoked credentials',
  }),
} as const
