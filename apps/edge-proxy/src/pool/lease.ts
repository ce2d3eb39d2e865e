/** What the pool answers to a login: a connection to use, or the words to refuse with. */
import type { Credentials } from '../imap/credentials.ts'
import type { Opened } from '../server/open.ts'
import type { Server } from '../server/server.ts'
import type { ServerConnection } from '../server/server-connection.ts'
import type { Place } from './room.ts'
import type { Wanted } from './warm.ts'

export interface Leased {
  kind: 'leased'
  /** Another one after the session has been moved to a connection with the extensions that it wants. */
  upstream: ServerConnection
  reused: boolean
  /** Whether the client may be told XPROXYREUSE. */
  tellReuse: boolean
  /** What a fresh server said at its login, for this client. */
  untagged: readonly string[]
}

/** The login is answered with `status text` and no connection is held. */
export interface Refused {
  kind: 'refused'
  cause: 'wrong-credentials' | 'unavailable' | 'limit'
  status: 'NO' | 'BAD'
  text: string
  /** What an OAuth server said of its reasons, for the client to acknowledge. */
  challenge?: string
}

/** Who asks for a connection. */
export interface Asker {
  readonly address: string
  /** False when the client has gone while it waited. */
  readonly isThere: boolean
}

/** A login for which no idle connection was there at once. */
export interface Ask {
  readonly server: Server
  readonly credentials: Credentials
  readonly wanted: Wanted
  readonly asker: Asker
}

/** The server could not be reached, or wanted none of the credentials. */
export function openRefused(opened: Exclude<Opened, { kind: 'opened' }>): Refused {
  if (opened.kind === 'login-refused') {
    const { kind: _, ...answer } = opened
    return { kind: 'refused', cause: causeOf(opened.text), ...answer }
  }
  const text = '[UNAVAILABLE] Mail server is not available, try again later'
  return { kind: 'refused', cause: 'unavailable', status: 'NO', text }
}

/** A server that refuses for a reason of its own has not found the credentials wrong (RFC 5530 3). */
function causeOf(text: string): Refused['cause'] {
  if (/^\[LIMIT\]/i.test(text)) return 'limit'
  return /^\[(UNAVAILABLE|INUSE|SERVERBUG)\]/i.test(text) ? 'unavailable' : 'wrong-credentials'
}

type NoPlace = Exclude<Place, 'taken' | 'look-again'>

/** There was no room for one more connection. */
export function placeRefused(place: NoPlace): Refused {
  return { kind: 'refused', cause: 'limit', status: 'NO', text: `[LIMIT] ${placeText[place]}` }
}

const placeText: Record<NoPlace, string> = {
  'too-many-of-user': 'Too many connections of this user',
  'queue-full': 'Too many connections, try again later',
  'timed-out': 'No connection became free in time, try again later',
  left: 'The client has gone',
}
