/**
 * What a server answers to ID (RFC 2971), before login and after it: some servers tell users more. Webmails recognise a
 * server by this answer.
 */
import { parseIdResponse, printId, type IdPairs } from '../imap/id.ts'

export class Identification {
  #beforeLogin: IdPairs | undefined
  #wasAsked = false
  /** The line of the server, to recognise it, and the same as it is printed. */
  #afterLogin: { readonly line: string; readonly printed: string } | undefined

  /** Whether the server was asked before a login, and has answered in some way. */
  get wasAsked(): boolean {
    return this.#wasAsked
  }

  /** Undefined: the server was not asked yet, or its answer cannot be printed as one line. */
  get beforeLogin(): IdPairs | undefined {
    return this.#beforeLogin
  }

  /** The untagged response, with its line end. Undefined as for `beforeLogin`. */
  get afterLogin(): string | undefined {
    return this.#afterLogin?.printed
  }

  /** @param untagged the lines of a reply to ID */
  learnBeforeLogin(untagged: readonly string[]): void {
    this.#wasAsked = true
    for (const line of untagged) this.#beforeLogin = parseIdResponse(line) ?? this.#beforeLogin
  }

  /** @param line an untagged ID response, with its line end */
  learnAfterLogin(line: string): void {
    if (line === this.#afterLogin?.line) return
    const pairs = parseIdResponse(line)
    this.#afterLogin = pairs && { line, printed: `* ${printId(pairs)}\r\n` }
  }
}
