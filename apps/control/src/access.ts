/** Who asks, and what a role may do: each role may do what the one before it may. */

export const roles = ['viewer', 'operator', 'admin'] as const
export type Role = (typeof roles)[number]

/** Extra rights that no role brings along. */
export const scopes = ['trace-bodies'] as const
export type Scope = (typeof scopes)[number]

export interface Actor {
  /** The token's id. */
  id: string
  /** The token's name, as the audit log shows it. */
  name: string
  role: Role
  scopes: readonly string[]
}

export const isAtLeast = (role: Role, needed: Role): boolean => roles.indexOf(role) >= roles.indexOf(needed)
