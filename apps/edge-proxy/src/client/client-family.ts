/**
 * The family of a client: a fingerprint of the program that it is, made from what it says before and with its login. Two
 * clients of one family on one user count as the same program. A fingerprint that is too coarse would mix programs.
 */
import { OPEN_BRACE, QUOTE } from '../imap/bytes.ts'
import type { IdPairs } from '../imap/id.ts'
import { withoutPageHints } from '../imap/page-hints.ts'

/** The form of the login without its arguments: the case of its verb, and the syntax of the first argument. */
export type LoginForm = number

/**
 * @param bytes the login command
 * @param argumentsAt the index behind its verb, where a space precedes the arguments
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
  /** Number of commands up to the login, itself included. */
  readonly commands: number
  /** The login's. */
  readonly tag: string
  readonly verb: string
  readonly form: LoginForm
  /** The ID commands before it. */
  readonly ids: readonly IdPairs[]
}

/** Programs count their tags in digits, so all digits are equal here. Of an ID, only the keys and the name are compared. */
export function familyOf({ listener, address, secure, commands, tag, verb, form, ids }: FamilyFacts): string {
  const shape = tag.replaceAll(/\d/g, '0')
  const named = ids.map((pairs) =>
    (withoutPageHints(pairs) ?? []).map(([field, value]) =>
      /^name$/i.test(field) ? `${field}=${value}` : field,
    ),
  )
  return JSON.stringify([listener, address, secure, commands, shape, verb, form, named])
}
