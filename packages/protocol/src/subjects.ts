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

  /** Control → edges, core NATS: an order. */
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
  ordersOfAll: `${root}.order.>`,

  /** Edge → control, core NATS: its answer to an order. Not to an inbox: the subject proves who answers. */
  answer: ({ region, edge }: EdgeAddress, order: string) => `${root}.answer.${region}.${edge}.${order}`,
  /** The answers of all edges to one order. */
  answersTo: (order: string) => `${root}.answer.*.*.${order}`,
  answersOfAll: `${root}.answer.*.*.*`,

  /** Where what an edge itself asks for comes to: to nobody else. */
  inbox: ({ region, edge }: EdgeAddress) => `${root}.inbox.${region}.${edge}`,
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

/** The bucket as a stream: what its keys stand behind in subjects. */
export const desiredBucket = { stream: `KV_${buckets.desired}`, subject: `$KV.${buckets.desired}.` } as const

/** How an edge reads its entry: the stream of the bucket, the subject of its key there, and the request for it. */
export const desiredEntry = (address: EdgeAddress) => {
  const { stream } = desiredBucket
  const subject = desiredBucket.subject + desiredKey(address)
  return { stream, subject, read: `$JS.API.DIRECT.GET.${stream}.${subject}` }
}

/** Grows with every change of `rightsOf`, so that an older control leaves alone what a newer one has granted. */
export const rightsVersion = 1

/** All that one edge may say and hear. */
export const rightsOf = (address: EdgeAddress) => ({
  publish: [
    subjects.presence(address),
    subjects.report(address),
    subjects.trace(address, '*'),
    subjects.answer(address, '*'),
    desiredEntry(address).read,
  ],
  subscribe: [...subjects.ordersFor(address), subjects.desiredChanged, `${subjects.inbox(address)}.>`],
})

/** What crosses between the account of all edges and the account of control, where the streams are. */
export const crossings = {
  /** Asked by edges, answered by control or by JetStream. */
  fromEdges: [
    subjects.presenceOfAll,
    subjects.reportsOfAll,
    subjects.tracesOfAll,
    subjects.answersOfAll,
    desiredEntry({ region: '*', edge: '*' }).read,
  ],
  /** Said by control to edges. */
  toEdges: [subjects.ordersOfAll, subjects.desiredChanged],
} as const
