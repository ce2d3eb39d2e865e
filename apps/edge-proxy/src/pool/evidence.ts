/**
 * Applies a server's answer to a login to the connections that are already open: a refused secret ends the connections that
 * it opened, and a secret that is new for its user ends those of the user's other secrets
 * (docs/adr/0012-evidence-about-secrets.md).
 * This applies to the connections of all servers, because two configured servers may be one mail system.
 */
import type { DistrustReason, ServerConnection } from '../server/server-connection.ts'
import type { Connections, Dial } from './connections.ts'
import { isSameSecret, userKeyOf } from './key.ts'
import { KnownSecrets } from './known-secrets.ts'
import { refusesUser, type LeaseRequest, type RefusalCause } from './lease.ts'

/** What other edges must know about the secrets of a user. It has no form of the secret. */
export interface SecretChange {
  /** `proven`: a server accepted a secret that is new here. `refused`: it refused one that it had accepted. */
  readonly kind: 'proven' | 'refused'
  /** The login name, with its ASCII letters in lower case. */
  readonly user: string
}

type Suspect = Pick<Dial, 'identity' | 'secretDigest'>

export class Evidence {
  readonly #connections: Connections
  readonly #known = new KnownSecrets()
  readonly #distrust: (connection: ServerConnection, reason: DistrustReason) => void
  /** Called with what other edges do not know yet. */
  onChange: (change: SecretChange) => void = () => {}

  /** @param distrust closes the connection, at once or when its session ends */
  constructor(
    connections: Connections,
    distrust: (connection: ServerConnection, reason: DistrustReason) => void,
  ) {
    this.#connections = connections
    this.#distrust = distrust
  }

  /** The server has accepted the login. */
  accepted({ server, credentials, secretDigest }: LeaseRequest): void {
    if (!judgesSecrets(server)) return
    const userKey = userKeyOf(credentials.user.toString('utf8'))
    if (!this.#known.accepted(server.name, userKey, secretDigest)) return
    this.#apply(userKey, 'secret-superseded', (own) => !isSameSecret(own.secretDigest, secretDigest))
    this.onChange({ kind: 'proven', user: userKey })
  }

  /** The server has refused the login. */
  refused({ server, credentials, identity, secretDigest }: LeaseRequest, cause: RefusalCause): void {
    if (!refusesUser(cause)) return
    const userKey = userKeyOf(credentials.user.toString('utf8'))
    // A server that judged no secret, or accepted it, refuses the identity.
    const isAboutSecret = judgesSecrets(server) && cause !== 'not-authorized'
    const wasKnown = isAboutSecret && this.#known.refused(server.name, userKey, secretDigest)
    const ended = isAboutSecret
      ? this.#apply(userKey, 'secret-refused', (own) => isSameSecret(own.secretDigest, secretDigest))
      : this.#apply(userKey, 'not-authorized', (own) => own.identity === identity)
    // Other edges are not notified of a secret that was never accepted: anyone can send wrong passwords for a user.
    if (wasKnown || ended > 0) this.onChange({ kind: 'refused', user: userKey })
  }

  /** Another edge has reported a change for these users. */
  changedElsewhere(userKeys: ReadonlySet<string>): void {
    for (const dial of this.#connections.dials())
      if (userKeys.has(userKeyOf(dial.openedBy))) dial.distrust('fleet-evidence')
    for (const userKey of userKeys)
      for (const own of [...this.#connections.openedBy(userKey)]) this.#distrust(own, 'fleet-evidence')
  }

  /** Returns how many open connections were affected. */
  #apply(userKey: string, reason: DistrustReason, isAffected: (own: Suspect) => boolean): number {
    for (const dial of this.#connections.dials())
      if (userKeyOf(dial.openedBy) === userKey && isAffected(dial)) dial.distrust(reason)
    const affected = this.#connections.openedBy(userKey).filter(isAffected)
    for (const own of affected) this.#distrust(own, reason)
    return affected.length
  }
}

/** If the edge logs all users in as a master user, the server never sees what the client sent. */
const judgesSecrets = ({ config }: LeaseRequest['server']): boolean => config.masterUser === undefined
