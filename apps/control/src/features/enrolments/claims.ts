/**
 * The two NATS accounts of a fleet. Streams, bucket and control are in one. Edges are in the other, which has no
 * JetStream, so that no edge can reach the JetStream API, not even through a reply subject
 * (docs/adr/0005-two-accounts.md).
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

/** Placeholders for the name and the tag of a credential. nats-server fills them in at each connect. */
const placeholders = { region: '{{tag(region)}}', edge: '{{name()}}' }
export const regionTag = (region: string) => `region:${region}`

/** Limit on the subscriptions of one edge. An edge needs seven. */
const subscriptionsMax = 32
const rolePrefix = 'edge/'

/** The scoped key that signs credentials of edges, with the permissions of every credential that it signs. */
export function edgeRole(signingKey: string) {
  const { publish, subscribe } = rightsOf(placeholders)
  return newScopedSigner(signingKey, `${rolePrefix}${rightsVersion}`, {
    pub: { allow: publish, deny: [] },
    sub: { allow: subscribe, deny: [] },
    subs: subscriptionsMax,
    payload: messageBytesMax,
    allowed_connection_types: ['STANDARD', 'WEBSOCKET'],
  })
}

/** 0: not a role of ours. */
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
