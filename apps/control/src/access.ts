/** Who asks, and what a role may do: each role may do what the one before it may. */
import { roleSchema, type Role, type Scope } from '@imapfleet/protocol'
import { ServiceError } from './errors.ts'

export interface Actor {
  /** The token's id. */
  id: string
  /** The token's name, as the audit log shows it. */
  name: string
  role: Role
  scopes: readonly string[]
}

export const isAtLeast = (role: Role, needed: Role): boolean =>
  roleSchema.options.indexOf(role) >= roleSchema.options.indexOf(needed)

/** Refuses whoever has not this scope, an admin too. */
export function needsScope(actor: Actor, scope: Scope): void {
  if (!actor.scopes.includes(scope))
    throw new ServiceError('forbidden', `${actor.name} lacks the scope ${scope}.`)
}
