/** The actor of a request, its role, and what its limits allow. Each role includes the roles before it. */
import { limitsText, type FleetTarget, type AccessLimits, type Role, type Scope } from '@imapfleet/api'
import type { OrderSubject } from '@imapfleet/protocol'
import { ServiceError } from './errors.ts'

export interface Actor {
  /** The id of the token. */
  id: string
  /** SHA-256 of the cookie, if the request came with a session of the console. */
  session?: string
  /** The name of the token, as the audit log shows it. */
  name: string
  role: Role
  scopes: readonly string[]
  limits: AccessLimits
  /** When the token expires. */
  expiresAt?: Date
  /** The issuer and the subject, if the token was made when a person signed in. */
  person?: string
}

/** Throws `forbidden` if the actor lacks the scope. This includes admins. */
export function needsScope(actor: Actor, scope: Scope): void {
  if (!actor.scopes.includes(scope))
    throw new ServiceError('forbidden', `${actor.name} lacks the scope ${scope}.`)
}

/** The limits of control itself: none. */
export const noLimits: AccessLimits = {}

/** Null: no single region, or unknown. */
export const allowsRegion = ({ regions }: AccessLimits, region: string | null): boolean =>
  regions === undefined || (region !== null && regions.includes(region))

/** Null: no single domain, or unknown. */
export const allowsDomain = ({ domains }: AccessLimits, domain: string | null): boolean =>
  domains === undefined || (domain !== null && domains.includes(domain))

/**
 * The domain of a user, or a domain itself, as edges compare it: what follows the last @, in lower case. Null: the users of all
 * domains, or a name without a domain.
 */
export function domainOf(subject: OrderSubject): string | null {
  if (subject === undefined) return null
  const name = subject.name.toLowerCase()
  if (subject.kind === 'domain') return name.replace(/^@/, '')
  const at = name.lastIndexOf('@')
  return at === -1 ? null : name.slice(at + 1)
}

/** Throws `outside_limits` unless the actor may touch the connections of this user or domain. */
export function needsSubject({ name, limits }: Actor, subject: OrderSubject): void {
  if (allowsDomain(limits, domainOf(subject))) return
  const what = subject === undefined ? 'this concerns all users: name one' : `${subject.name} is outside`
  throw new ServiceError('outside_limits', `${name} is limited to ${limitsText(limits)}, and ${what}.`)
}

/**
 * The region that something for whole regions is done in; null: in all. An actor with the limit of one region means this region.
 * Throws `outside_limits` if the actor must choose another one, or one of several.
 */
export function regionWithin({ name, limits }: Actor, asked: string | undefined): string | null {
  const { regions } = limits
  if (regions === undefined) return asked ?? null
  const region = asked ?? (regions.length === 1 ? regions[0] : undefined)
  if (region !== undefined && regions.includes(region)) return region
  const what = asked === undefined ? 'this concerns all regions: name one' : `${asked} is outside`
  throw new ServiceError('outside_limits', `${name} is limited to ${limitsText(limits)}, and ${what}.`)
}

/**
 * The target as the actor means it: for an actor with limits, all edges means the edges of its region. Edges outside its
 * limits are refused like unknown ones, later.
 */
export function targetWithin(actor: Actor, target: FleetTarget): FleetTarget {
  if (target.kind !== 'all') return target
  const region = regionWithin(actor, undefined)
  return region === null ? target : { kind: 'region', name: region }
}
