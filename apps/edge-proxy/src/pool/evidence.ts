/**
 * Applies a server's answer to a login to connections that are already open. A refused secret ends the connections that it
 * opened. An accepted secret that is new for its user ends the connections of the user's other secrets
 * (docs/adr/0012-evidence-about-secrets.md).
 * This applies to the connections of all servers, because two configured servers may be one mail system.
 */
import type { DistrustReason, ServerConnection } from '../server/server-connection.ts'
import type { Connections, Dial } from './connections.ts'
import { isSameSecret, userKeyOf } from './key.ts'
import { KnownSecrets } from './known-secrets.ts'
import { refusesUser, type LeaseRequest, type RefusalCause } from './lease.ts'

/** A change that other edges must know. It contains no form of the secret. */
export interface SecretChange {
  /** `proven`: a server accepted a secret that is new on this edge. `refused`: it refused one that it had accepted. */
  readonly kind: 'proven' | 'refused'
  /** The login name, with its ASCII letters in lower case. */
  readonly user: string
}

type Suspect = Pick<Dial, 'identity' | 'secretDigest'>

export class Evidence {
  readonly #connections: Connections
  readonly #known = new KnownSecrets()
  readonly #distrust: (connection: ServerConnection, reason: DistrustReason) => void
  /** Called with changes that other edges do not know yet. */
  onChange: (change: SecretChange) => void = () => {}

  /** @param distrust closes the connection, immediately or when its session ends */
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
    // If the server did not check the secret, or accepted it, the refusal is about the identity.
    const isAboutSecret = judgesSecrets(server) && cause !== 'not-authorized'
    const wasKnown = isAboutSecret && this.#known.refused(server.name, userKey, secretDigest)
    const ended = isAboutSecret
      ? this.#apply(userKey, 'secret-refused', (own) => isSameSecret(own.secretDigest, secretDigest))
      : this.#apply(userKey, 'not-authorized', (own) => own.identity === identity)
    // Other edges are not notified of a secret that was never accepted, because any client can send wrong passwords.
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

/** Whether the server checks the client's secret. It does not if the edge logs in all users as a master user. */
const judgesSecrets = ({ config }: LeaseRequest['server']): boolean => config.masterUser === undefined
