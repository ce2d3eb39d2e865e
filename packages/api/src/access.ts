/** Tokens and the audit log, as the control API shows them. */
import { z } from 'zod'
import { json } from './json.ts'
import { isLimited, limitsSchema } from './limits.ts'
import { numberedPage, pageById } from './pages.ts'
import { roleSchema, route, scopeSchema } from './route.ts'

export const tokenRequestSchema = z
  .object({
    /** Name of its owner, as shown in the audit log. */
    name: z.string().regex(/^[\w.@+-]{1,100}$/, 'use letters, digits and . _ @ + -, at most 100'),
    role: roleSchema,
    scopes: z.array(scopeSchema).max(20).default([]),
    /** If left out, the token is not limited. */
    limits: limitsSchema.default({}),
    /** If left out, the token is valid until it is revoked. */
    expiresInSeconds: z.int().min(60).max(315_360_000).optional(),
  })
  .refine(({ role, limits }) => role !== 'admin' || !isLimited(limits), {
    path: ['role'],
    message:
      'must be viewer or operator, because the token is limited: admins give access to the whole fleet',
  })
  .meta({ id: 'TokenRequest' })
export type TokenRequest = z.input<typeof tokenRequestSchema>

export const tokenSchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    role: roleSchema,
    scopes: z.array(z.string()),
    limits: limitsSchema.default({}),
    /** Made when a person signed in. Its name is that of the person. */
    isPerson: z.boolean().default(false),
    createdBy: z.string(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().nullable(),
    revokedAt: z.iso.datetime().nullable(),
    /** Accurate to the minute. */
    lastUsedAt: z.iso.datetime().nullable(),
    /** The last five addresses that used it, the newest first. */
    usedFrom: z.array(z.object({ address: z.string(), at: z.iso.datetime() })).default([]),
  })
  .meta({ id: 'Token' })
export type TokenView = z.infer<typeof tokenSchema>

/** `machine`: made for a program. `person`: made when a person signed in. */
const tokenOwnerSchema = z.enum(['machine', 'person'])
export type TokenOwner = z.infer<typeof tokenOwnerSchema>

/** Newest first. `next` is the `before` of the next page. */
export const tokenListSchema = z.object({ tokens: z.array(tokenSchema), next: z.uuid().nullable() })

/** The only answer that contains the token itself. */
export const tokenMadeSchema = tokenSchema.extend({ token: z.string() })
export type TokenMade = z.infer<typeof tokenMadeSchema>

export const auditEntrySchema = z
  .object({
    id: z.int(),
    at: z.iso.datetime(),
    /** The name of the token. */
    actor: z.string(),
    /** `config.revise`, `trace.start`, `order.give`, ... */
    action: z.string(),
    target: z.string(),
    before: json.nullable(),
    after: json.nullable(),
  })
  .meta({ id: 'AuditEntry' })
export type AuditEntry = z.infer<typeof auditEntrySchema>

/** Newest first. `next` is the `before` of the next page. */
export const auditListSchema = z.object({ entries: z.array(auditEntrySchema), next: z.int().nullable() })

/** Postgres does not store every year that a date can have. */
const instantOfLog = z.iso
  .datetime({ offset: true })
  .refine((text) => Date.parse(text) >= 0, 'must not be before 1970')

export const accessRoutes = {
  createToken: route({
    method: 'POST',
    path: '/v1/tokens',
    tag: 'access',
    summary: 'Make a token; only this answer shows it',
    role: 'admin',
    limits: 'unlimited-only',
    secret: true,
    body: tokenRequestSchema,
    status: 201,
    answer: tokenMadeSchema,
    returns: 'The token',
  }),
  listTokens: route({
    method: 'GET',
    path: '/v1/tokens',
    tag: 'access',
    summary: 'Tokens, including revoked and expired ones, newest first',
    description: 'Those of people, who signed in through the provider, are listed with kind=person.',
    role: 'admin',
    limits: 'unlimited-only',
    query: pageById.extend({ kind: tokenOwnerSchema.default('machine') }),
    answer: tokenListSchema,
    returns: 'Tokens',
  }),
  revokeToken: route({
    method: 'DELETE',
    path: '/v1/tokens/{id}',
    tag: 'access',
    summary: 'Revoke a token',
    role: 'admin',
    limits: 'unlimited-only',
    params: z.object({ id: z.uuid() }),
    answer: tokenSchema,
    returns: 'The revoked token',
  }),
  listAudit: route({
    method: 'GET',
    path: '/v1/audit',
    tag: 'access',
    summary: 'The audit log, newest first',
    description:
      '`actor` and `action` are complete names, `target` is part of one. `from` and `to` are instants; `to` itself is not included.',
    role: 'admin',
    limits: 'unlimited-only',
    query: numberedPage.extend({
      actor: z.string().max(200).optional(),
      action: z.string().max(200).optional(),
      /** Part of the target, without regard to case. */
      target: z.string().max(200).optional(),
      from: instantOfLog.optional(),
      /** Not included. */
      to: instantOfLog.optional(),
    }),
    answer: auditListSchema,
    returns: 'Entries',
  }),
} as const
