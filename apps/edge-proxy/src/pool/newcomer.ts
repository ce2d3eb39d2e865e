/** A connection that was just opened, as the pool knows it from then on. */
import { expiryOf, userName } from '../imap/credentials.ts'
import type { Opened } from '../server/open.ts'
import { ServerConnection } from '../server/server-connection.ts'
import type { Ask } from './lease.ts'

export function newcomer(
  opened: Extract<Opened, { kind: 'opened' }>,
  { server, credentials, wanted, asker }: Ask,
  now: number,
): ServerConnection {
  const upstream = new ServerConnection({
    link: opened.link,
    name: server.name,
    identity: wanted.identity,
    secretDigest: wanted.digest,
    user: userName(credentials),
    openedBy: credentials.user.toString('utf8'),
    generation: server.generation,
    capabilities: opened.capabilities,
    loginText: opened.text,
    now,
  })
  upstream.client = asker
  upstream.expiresAt = expiryOf(credentials)
  return upstream
}
