/** A connection that was just opened, as the pool knows it from then on. */
import { expiryOf, userName } from '../credentials.ts'
import type { Opened } from '../upstream/open.ts'
import { Upstream } from '../upstream/upstream.ts'
import type { Ask } from './lease.ts'

export function newcomer(
  opened: Extract<Opened, { kind: 'opened' }>,
  { target, credentials, wanted, asker }: Ask,
  now: number,
): Upstream {
  const upstream = new Upstream({
    link: opened.link,
    name: target.name,
    identity: wanted.identity,
    secretDigest: wanted.digest,
    user: userName(credentials),
    openedBy: credentials.user.toString('utf8'),
    generation: target.generation,
    capabilities: opened.capabilities,
    loginText: opened.text,
    now,
  })
  upstream.client = asker
  upstream.expiresAt = expiryOf(credentials)
  return upstream
}
