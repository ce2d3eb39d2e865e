/**
 * All NATS subjects, streams and buckets, and the rights to them. Regions and edge ids are configuration names, which
 * have no dot and no wildcard, so each is exactly one token of a subject.
 */
const root = 'imapfleet'

export interface EdgeAddress {
  region: string
  edge: string
}

/** Where an order is published: the edges that it is for. */
export type OrderAddress =
  { kind: 'all' } | { kind: 'region'; region: string } | { kind: 'edge'; edge: string; region: string }

export const subjects = {
  /** Edge → control, core NATS: the heartbeat. */
  presence: ({ region, edge }: EdgeAddress) => `${root}.presence.${region}.${edge}`,
  presenceOfAll: `${root}.presence.*.*`,

  /** Edge → control, JetStream. */
  report: ({ region, edge }: EdgeAddress) => `${root}.report.${region}.${edge}`,
  reportsOfAll: `${root}.report.*.*`,

  /**
   * Edge → control, JetStream: lines of all traces of one edge. One subject for each edge, because JetStream limits
   * what it stores by subject. The last token is constant: accounts of earlier versions let only five tokens cross.
   */
  trace: ({ region, edge }: EdgeAddress) => `${root}.trace.${region}.${edge}.lines`,
  tracesOfAll: `${root}.trace.*.*.lines`,

  /** Edge → JetStream: evidence about secrets of users. */
  evidence: ({ region, edge }: EdgeAddress) => `${root}.evidence.${region}.${edge}`,
  evidenceOfAll: `${root}.evidence.*.*`,
  /** JetStream → edges, core NATS: evidence that was stored. The last two tokens are those of the sender's subject. */
  storedEvidence: ({ region, edge }: EdgeAddress) => `${root}.stored-evidence.${region}.${edge}`,
  storedEvidenceOfAll: `${root}.stored-evidence.*.*`,

  /** Control → edges, core NATS: the desired state of some edges changed. Each edge reads its own key. */
  desiredChanged: `${root}.desired.changed`,

  /** Control → edges, core NATS: an order. */
  order: (target: OrderAddress) =>
    target.kind === 'all'
      ? `${root}.order.all`
      : target.kind === 'region'
        ? `${root}.order.region.${target.region}`
        : `${root}.order.edge.${target.region}.${target.edge}`,
  /** Where one edge listens for orders. */
  ordersFor: ({ region, edge }: EdgeAddress) => [
    `${root}.order.all`,
    `${root}.order.region.${region}`,
    `${root}.order.edge.${region}.${edge}`,
  ],
  ordersOfAll: `${root}.order.>`,

  /** Control → edge, core NATS: reports that are stored. It crosses with the orders, also in accounts of earlier versions. */
  storedReports: ({ region, edge }: EdgeAddress) => `${root}.order.stored-reports.${region}.${edge}`,

  /** Edge → control, core NATS: an answer to an order. The subject proves which edge answers; an inbox would not. */
  answer: ({ region, edge }: EdgeAddress, order: string) => `${root}.answer.${region}.${edge}.${order}`,
  /** The answers of all edges to one order. */
  answersTo: (order: string) => `${root}.answer.*.*.${order}`,
  answersOfAll: `${root}.answer.*.*.*`,

  /** Where an edge receives replies to its own requests. No other edge may subscribe to it. */
  inbox: ({ region, edge }: EdgeAddress) => `${root}.inbox.${region}.${edge}`,
} as const

export const streams = {
  reports: 'IMAPFLEET_REPORTS',
  traces: 'IMAPFLEET_TRACES',
  evidence: 'IMAPFLEET_EVIDENCE',
} as const

export const consumers = {
  /** The durable consumer that all control processes share. */
  ingest: 'ingest',
} as const

export const buckets = {
  /** A copy of each edge's desired state. Postgres holds the original. */
  desired: 'imapfleet_desired',
} as const

/** Key of one edge in the bucket `desired`. */
export const desiredKey = ({ region, edge }: EdgeAddress) => `${region}.${edge}`

/** The stream behind the bucket, and the prefix of its subjects. */
export const desiredBucket = { stream: `KV_${buckets.desired}`, subject: `$KV.${buckets.desired}.` } as const

/** How an edge reads its entry: stream, subject, and the subject of the request. */
export const desiredEntry = (address: EdgeAddress) => {
  const { stream } = desiredBucket
  const subject = desiredBucket.subject + desiredKey(address)
  return { stream, subject, read: `$JS.API.DIRECT.GET.${stream}.${subject}` }
}

/** The request by which edges read the stream of evidence, message by message. */
export const evidenceRead = `$JS.API.DIRECT.GET.${streams.evidence}`

/**
 * Increase it with every change of `rightsOf`. An older control does not overwrite the rights of a newer one. Edges send
 * it with their heartbeats.
 */
export const rightsVersion = 3

/** The permissions of one edge. */
export const rightsOf = (address: EdgeAddress) => ({
  publish: [
    subjects.presence(address),
    subjects.report(address),
    subjects.trace(address),
    subjects.answer(address, '*'),
    subjects.evidence(address),
    desiredEntry(address).read,
    evidenceRead,
  ],
  subscribe: [
    ...subjects.ordersFor(address),
    subjects.storedReports(address),
    subjects.desiredChanged,
    subjects.storedEvidenceOfAll,
    `${subjects.inbox(address)}.>`,
  ],
})

/** Exports and imports between the account of the edges and that of control, which has the streams. */
export const crossings = {
  /** Published by edges, for control or JetStream. */
  fromEdges: [
    subjects.presenceOfAll,
    subjects.reportsOfAll,
    `${root}.trace.*.*.*`,
    subjects.answersOfAll,
    subjects.evidenceOfAll,
    desiredEntry({ region: '*', edge: '*' }).read,
    evidenceRead,
  ],
  /** Published by control, for edges. */
  toEdges: [subjects.ordersOfAll, subjects.desiredChanged, subjects.storedEvidenceOfAll],
} as const
