/** What a login carries, decoded: the same user in an atom, quoted or a literal is the same here. */
import type { Mechanism } from './imap/sasl.ts'

export interface Credentials {
  user: Buffer
  /** Whom to act as, if someone else than `user`. */
  authorize: Buffer
  /** A password, or for the OAuth mechanisms the whole SASL message with its token. */
  secret: Buffer
  /** How the client said it; `command` is LOGIN. */
  mechanism: 'command' | Mechanism
}

/** Passwords are one class, whichever mechanism brought them; tokens are another. */
export function mechanismClass(credentials: Credentials): 'password' | 'token' {
  return credentials.mechanism === 'XOAUTH2' || credentials.mechanism === 'OAUTHBEARER' ? 'token' : 'password'
}

/** Longer than any mail address (RFC 5321 4.5.3.1), and short enough for logs and keys. */
const nameBytesMax = 1024

/** CR, LF and NUL never go to a server (they would end a command early); nor does an empty user. */
export function isSendable(credentials: Credentials): boolean {
  const isPlain = (bytes: Buffer) => !bytes.includes(0) && !bytes.includes(10) && !bytes.includes(13)
  return (
    credentials.user.length > 0 &&
    credentials.user.length <= nameBytesMax &&
    credentials.authorize.length <= nameBytesMax &&
    isPlain(credentials.user) &&
    isPlain(credentials.authorize) &&
    (mechanismClass(credentials) === 'token' || isPlain(credentials.secret))
  )
}

/** The user's name for logs, routes and lists of people; bytes that are no UTF-8 show as U+FFFD. */
export function userName(credentials: Credentials): string {
  return (credentials.authorize.length > 0 ? credentials.authorize : credentials.user).toString('utf8')
}
