/** Revocations, as the control API accepts and shows them. */
import { configName } from '@imapfleet/config/names'
import { z } from 'zod'
import { userDomain } from './limits.ts'
import { operationSchema, paceSchema } from './operations.ts'
import { numberedPage, decimalNumber } from './pages.ts'
import { route } from './route.ts'

export const revocationRequestSchema = z
  .object({
    /** `domain`: all users whose name ends in @subject. The subject may begin with @. */
    kind: z.enum(['user', 'domain']),
    subject: z.string().trim().min(1).max(1024),
    note: z.string().max(1000).default(''),
    /** Only on the edges of this region. Left out: on all that the token may use. */
    region: configName.optional(),
    /** How the revocation of a domain reaches several regions: staged, if left out. */
    pace: paceSchema.optional(),
  })
  .refine(({ kind, subject }) => kind === 'user' || userDomain.safeParse(subject.replace(/^@/, '')).success, {
    path: ['subject'],
    message: 'must be a domain such as example.org',
  })
  .meta({ id: 'RevocationRequest' })
export type RevocationRequest = z.input<typeof revocationRequestSchema>

export const revocationRecordSchema = z
  .object({
    /** Increases with each revocation: the time in microseconds since 1970. */
    sequence: z.int(),
    kind: z.enum(['user', 'domain']),
    subject: z.string(),
    at: z.iso.datetime(),
    createdBy: z.string(),
    note: z.string(),
    /** Only the edges of this region. Null: all edges. */
    region: z.string().nullable(),
    /** The operation that revokes a domain region by region, with a revocation for each region. */
    operation: z.uuid().optional(),
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
    /** If it is carried out in stages. */
    operation: operationSchema.optional(),
  })
  .meta({ id: 'RevocationStatus' })
export type RevocationStatus = z.infer<typeof revocationStatusSchema>

/** Newest first. `next` is the `before` of the next page. */
export const revocationListSchema = z.object({
  revocations: z.array(revocationRecordSchema),
  next: z.int().nullable(),
})

export const revocationRoutes = {
  addRevocation: route({
    method: 'POST',
    path: '/v1/revocations',
    tag: 'revocations',
    summary:
      'Stop reusing the server connections of a user or a domain; a silent edge does so when it returns',
    role: 'operator',
    limits: 'both',
    body: revocationRequestSchema,
    status: 201,
    answer: revocationStatusSchema,
    returns: 'The revocation',
  }),
  listRevocations: route({
    method: 'GET',
    path: '/v1/revocations',
    tag: 'revocations',
    summary: 'Revocations, newest first',
    role: 'operator',
    limits: 'both',
    query: numberedPage,
    answer: revocationListSchema,
    returns: 'Revocations',
  }),
  readRevocation: route({
    method: 'GET',
    path: '/v1/revocations/{sequence}',
    tag: 'revocations',
    summary: 'One revocation and its progress',
    role: 'operator',
    limits: 'both',
    params: z.object({ sequence: decimalNumber(1, Number.MAX_SAFE_INTEGER) }),
    answer: revocationStatusSchema,
    returns: 'The revocation',
  }),
} as const
