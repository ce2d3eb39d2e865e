/**
 * Every NATS subject, stream and bucket, and the only place where one is built. Regions and edge ids are
 * configuration names (lower-case letters, digits, `-`, `_`), so they can never hold a dot or a wildcard.
 */
const root = 'imapfleet'

export interface EdgeAddress {
  region: string
  edge: string
}

/** Whom an order is for. */
export type Target =
  { kind: 'all' } | { kind: 'region'; region: string } | { kind: 'edge'; edge: string; region: string }

export const subjects = {
  /** Edge → control, core NATS: the heartbeat. */
  presence: ({ region, edge }: EdgeAddress) => `${root}.presence.${region}.${edge}`,
  presenceOfAll: `${root}.presence.*.*`,

  /** Edge → control, JetStream. */
  report: ({ region, edge }: EdgeAddress) => `${root}.report.${region}.${edge}`,
  reportsOfAll: `${root}.report.*.*`,

  /** Edge → control, JetStream: lines of one trace. */
  trace: ({ region, edge }: EdgeAddress, trace: string) => `${root}.trace.${region}.${edge}.${trace}`,
  /** One trace over all edges. */
  traceOfAll: (trace: string) => `${root}.trace.*.*.${trace}`,
  tracesOfAll: `${root}.trace.*.*.*`,

  /** Control → edges, core NATS: the desired state of some edges has changed; each reads its own key. */
  desiredChanged: `${root}.desired.changed`,

  /** Control → edges, core NATS request: an order, answered to the inbox. */
  order: (target: Target) =>
    target.kind === 'all'
      ? `${root}.order.all`
      : target.kind === 'region'
        ? `${root}.order.region.${target.region}`
        : `${root}.order.edge.${target.region}.${target.edge}`,
  /** What one edge listens to for orders. */
  ordersFor: ({ region, edge }: EdgeAddress) => [
    `${root}.order.all`,
    `${root}.order.region.${region}`,
    `${root}.order.edge.${region}.${edge}`,
  ],
} as const

export const streams = {
  reports: 'IMAPFLEET_REPORTS',
  traces: 'IMAPFLEET_TRACES',
} as const

export const consumers = {
  /** The durable consumer that all ingest processes share. */
  ingest: 'ingest',
} as const

export const buckets = {
  /** The copy of each edge's desired state; Postgres is the truth. */
  desired: 'imapfleet_desired',
} as const

/** Key of one edge in the desired bucket. */
export const desiredKey = ({ region, edge }: EdgeAddress) => `${region}.${edge}`
