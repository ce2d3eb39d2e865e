/**
 * The two accounts of a fleet on NATS. Streams, bucket and control are in one; edges are in the other, which has no
 * JetStream, so that no edge can reach JetStream's API, not even by a reply subject (docs/adr/0005).
 */
import { newScopedSigner, type Account, type Export, type Import } from '@nats-io/jwt'
import { crossings, messageBytesMax, rightsOf, rightsVersion } from '@imapfleet/protocol'

const without = -1
const limits = {
  subs: without,
  data: without,
  payload: without,
  imports: without,
  exports: without,
  conn: without,
  leaf: without,
  wildcards: true,
}
const jetStream = { mem_storage: without, disk_storage: without, streams: without, consumer: without }

const named = (subject: string, type: 'service' | 'stream') => ({ name: subject, subject, type })
const crossing: Export[] = [
  ...crossings.fromEdges.map((subject) => named(subject, 'service')),
  ...crossings.toEdges.map((subject) => named(subject, 'stream')),
]

export const systemClaims: Partial<Account> = { limits }

export const controlClaims: Partial<Account> = { limits: { ...limits, ...jetStream }, exports: crossing }

/** What the name and the tag of a credential make of it: nats-server fills them in at each connection. */
const whoever = { region: '{{tag(region)}}', edge: '{{name()}}' }
export const regionTag = (region: string) => `region:${region}`

/** Subscriptions of one edge: it needs six. */
const subscriptionsMax = 32
const rolePrefix = 'edge/'

/** The key that signs credentials of edges, and all that whoever it signs for may do. */
export function edgeRole(signingKey: string) {
  const { publish, subscribe } = rightsOf(whoever)
  return newScopedSigner(signingKey, `${rolePrefix}${rightsVersion}`, {
    pub: { allow: publish, deny: [] },
    sub: { allow: subscribe, deny: [] },
    subs: subscriptionsMax,
    payload: messageBytesMax,
    allowed_connection_types: ['STANDARD', 'WEBSOCKET'],
  })
}

/** 0: it is none of ours. */
export const versionOfRole = (role: string): number =>
  role.startsWith(rolePrefix) ? Number(role.slice(rolePrefix.length)) || 0 : 0

export function edgesClaims(controlAccount: string, signingKey: string): Partial<Account> {
  const imports: Import[] = crossing.map(({ name, subject, type }) => ({
    name,
    subject,
    type,
    account: controlAccount,
  }))
  return { limits, imports, signing_keys: [edgeRole(signingKey)] }
}
