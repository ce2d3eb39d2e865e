/**
 * Which routes someone may use: by the role, and by the limits that a route takes into account. A file of its own without
 * schemas, because the console builds none (ADR 49).
 */
import type { AccessLimits } from './limits.ts'
import type { LimitedBy, Role, Route } from './route.ts'

/** In rising order: each role includes the ones before it. */
export const roles = ['viewer', 'operator', 'admin'] as const

export const isAtLeast = (role: Role, needed: Role): boolean => roles.indexOf(role) >= roles.indexOf(needed)

/** The limits that no handler of such a route takes into account. */
const notWithin = {
  none: [],
  both: [],
  region: ['domains'],
  domain: ['regions'],
  'unlimited-only': ['regions', 'domains'],
} as const satisfies Record<LimitedBy, readonly (keyof AccessLimits)[]>

/** The limit because of which the route is refused; undefined if there is none. */
export const limitAgainst = (
  { limits: limitedBy }: Pick<Route, 'limits'>,
  limits: AccessLimits,
): keyof AccessLimits | undefined => notWithin[limitedBy].find((each) => limits[each] !== undefined)

/** Whether someone with this role and these limits may use the route. Its handler may refuse what is outside the limits. */
export const mayUse = (
  { role, limits }: { role: Role; limits: AccessLimits },
  route: Pick<Route, 'role' | 'limits'>,
): boolean => route.role === 'none' || (isAtLeast(role, route.role) && !limitAgainst(route, limits))
