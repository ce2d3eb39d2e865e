/**
 * The server's answers to ID (RFC 2971), before and after login, because some servers tell logged-in users more. Webmails
 * identify a server by this answer.
 */
import { parseIdResponse, printId, type IdPairs } from '../imap/id.ts'

export class Identification {
  #beforeLogin: IdPairs | undefined
  #wasAsked = false
  /** The line of the server, and the line that the edge prints from it. */
  #afterLogin: { readonly line: string; readonly printed: string } | undefined

  /** Whether the server has answered an ID before login, in any way. */
  get wasAsked(): boolean {
    return this.#wasAsked
  }

  /** Undefined: the server was not asked yet, or its answer cannot be printed as one line. */
  get beforeLogin(): IdPairs | undefined {
    return this.#beforeLogin
  }

  /** The untagged response, with its line end. Undefined in the same cases as `beforeLogin`. */
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
