/** The actor of a request, and its role. Each role includes the roles before it. */
import { roleSchema, type Role, type Scope } from '@imapfleet/api'
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
  /** When the token expires. */
  expiresAt?: Date
}

export const isAtLeast = (role: Role, needed: Role): boolean =>
  roleSchema.options.indexOf(role) >= roleSchema.options.indexOf(needed)

/** Throws `forbidden` if the actor lacks the scope. This includes admins. */
export function needsScope(actor: Actor, scope: Scope): void {
  if (!actor.scopes.includes(scope))
    throw new ServiceError('forbidden', `${actor.name} lacks the scope ${scope}.`)
}
