/** A connection that was just opened, as the pool knows it from then on. */
import { expiryOf, userName, type Credentials } from '../credentials.ts'
import type { Opened } from '../upstream/open.ts'
import type { Target } from '../upstream/target.ts'
import { Upstream } from '../upstream/upstream.ts'
import type { Asker } from './lease.ts'
import type { Wanted } from './warm.ts'

export function newcomer(
  opened: Extract<Opened, { kind: 'opened' }>,
  target: Target,
  credentials: Credentials,
  wanted: Wanted,
  asker: Asker,
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
