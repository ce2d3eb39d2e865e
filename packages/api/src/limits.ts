/** Limits of a token: to some regions, to the users of some domains, or to both. What is outside is neither shown nor changed. */
import { configName } from '@imapfleet/config/names'
import { z } from 'zod'

/** The part of user names after @. */
export const userDomain = z
  .string()
  .max(255)
  .regex(/^[^\s@\p{C}]+$/u, 'must be a domain such as example.org, without @')
  .toLowerCase()

export const limitsSchema = z
  .object({
    /** Only these regions, and their edges. Left out: all. */
    regions: z.array(configName).min(1).max(100).optional(),
    /** Only users whose names end in @ and one of these domains. Left out: all. */
    domains: z.array(userDomain).min(1).max(100).optional(),
  })
  .meta({ id: 'AccessLimits' })
export type AccessLimits = z.output<typeof limitsSchema>

export const isLimited = ({ regions, domains }: AccessLimits): boolean =>
  regions !== undefined || domains !== undefined
