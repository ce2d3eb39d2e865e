/**
 * The family of a client: a fingerprint of the client program, computed from its commands up to the login. Two clients of one
 * user with the same family count as the same program. A fingerprint that is too coarse would mix up programs.
 */
import { OPEN_BRACE, QUOTE } from '../imap/bytes.ts'
import type { IdPairs } from '../imap/id.ts'
import { withoutPageHints } from '../imap/page-hints.ts'

/** The form of the login without its arguments: the case of its verb, and the syntax of the first argument. */
export type LoginForm = number

/**
 * @param bytes the login command
 * @param argumentsAt the index after its verb, where a space precedes the arguments
 */
export function loginFormOf(bytes: Uint8Array, argumentsAt: number): LoginForm {
  const isLowerCase = bytes[argumentsAt - 1]! >= 97 ? 1 : 0
  const first = bytes[argumentsAt + 1]
  return isLowerCase + (first === QUOTE ? 2 : first === OPEN_BRACE ? 4 : 0)
}

export interface FamilyFacts {
  readonly listener: string
  readonly address: string
  readonly secure: boolean
  /** Number of commands up to and including the login. */
  readonly commands: number
  /** The tag of the login. */
  readonly tag: string
  readonly verb: string
  readonly form: LoginForm
  /** The ID commands before the login. */
  readonly ids: readonly IdPairs[]
}

/** Programs count tags with digits, so all digits are replaced by 0. Only the keys and the name of an ID are used. */
export function familyOf({ listener, address, secure, commands, tag, verb, form, ids }: FamilyFacts): string {
  const shape = tag.replaceAll(/\d/g, '0')
  const named = ids.map((pairs) =>
    (withoutPageHints(pairs) ?? []).map(([field, value]) =>
      /^name$/i.test(field) ? `${field}=${value}` : field,
    ),
  )
  return JSON.stringify([listener, address, secure, commands, shape, verb, form, named])
}
