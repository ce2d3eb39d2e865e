/** The routes of control that the console uses, as functions. */
import {
  auditListSchema,
  confReportSchema,
  configKeyListSchema,
  configViewSchema,
  edgeListSchema,
  edgeSchema,
  historySchema,
  orderListSchema,
  orderViewOf,
  orderViewSchema,
  revocationListSchema,
  revocationStatusSchema,
  revisionListSchema,
  revisionStatusSchema,
  rolloutListSchema,
  rolloutSchema,
  sessionSchema,
  traceListSchema,
  traceSchema,
  type History,
  type OrderAction,
  type OrderRequest,
  type RestoreRequest,
  type RevisionRequest,
  type RevocationRequest,
  type TargetName,
  type TraceRequest,
} from '@imapfleet/protocol'
import { ask, send } from './ask.ts'

/** Of a list whose newest come first; `before` is the `next` of the page before. */
export interface Page {
  limit: number
  before?: number | string | undefined
}

/** Moments may be relative (`-1h`), a step is like `30s`. */
export interface HistoryQuery {
  metrics: readonly string[]
  from: string
  to?: string
  step?: string
  groupBy?: History['groupBy']
  region?: string
  edge?: string
  upstream?: string
}

const id = encodeURIComponent

export const api = {
  session: (signal?: AbortSignal) => ask({ path: 'session', signal }, sessionSchema),
  signIn: (token: string) => ask({ path: 'session', method: 'POST', body: { token } }, sessionSchema),
  signOut: () => send({ path: 'session', method: 'DELETE' }),

  edges: (signal?: AbortSignal) => ask({ path: 'edges', signal }, edgeListSchema),
  edge: (edge: string, signal?: AbortSignal) => ask({ path: `edges/${id(edge)}`, signal }, edgeSchema),
  forgetEdge: (edge: string) => ask({ path: `edges/${id(edge)}`, method: 'DELETE' }, edgeSchema),
  drain: (target: TargetName) =>
    ask({ path: 'edges/drain', method: 'POST', body: { target } }, edgeListSchema),
  resume: (target: TargetName) =>
    ask({ path: 'edges/resume', method: 'POST', body: { target } }, edgeListSchema),

  history: ({ metrics, ...rest }: HistoryQuery, signal?: AbortSignal) =>
    ask({ path: 'stats/history', query: { metrics: metrics.join(','), ...rest }, signal }, historySchema),

  order: <Action extends OrderAction>(body: OrderRequest<Action>, signal?: AbortSignal) =>
    ask({ path: 'orders', method: 'POST', body, signal }, orderViewOf<Action['kind']>(body.action.kind)),
  orders: (page: Page, signal?: AbortSignal) =>
    ask({ path: 'orders', query: { ...page }, signal }, orderListSchema),
  orderOf: (order: string, signal?: AbortSignal) =>
    ask({ path: `orders/${id(order)}`, signal }, orderViewSchema),

  revoke: (body: RevocationRequest) =>
    ask({ path: 'revocations', method: 'POST', body }, revocationStatusSchema),
  revocations: (page: Page, signal?: AbortSignal) =>
    ask({ path: 'revocations', query: { ...page }, signal }, revocationListSchema),
  revocation: (sequence: number, signal?: AbortSignal) =>
    ask({ path: `revocations/${sequence}`, signal }, revocationStatusSchema),

  config: (signal?: AbortSignal) => ask({ path: 'config', signal }, configViewSchema),
  configKeys: (signal?: AbortSignal) => ask({ path: 'config/keys', signal }, configKeyListSchema),
  importConf: (text: string, signal?: AbortSignal) =>
    ask({ path: 'config/import', method: 'POST', body: { text }, signal }, confReportSchema),
  revise: (body: RevisionRequest, signal?: AbortSignal) =>
    ask({ path: 'config/revisions', method: 'POST', body, signal }, revisionStatusSchema),
  revisions: (page: Page, signal?: AbortSignal) =>
    ask({ path: 'config/revisions', query: { ...page }, signal }, revisionListSchema),
  revision: (revision: number, signal?: AbortSignal) =>
    ask({ path: `config/revisions/${revision}`, signal }, revisionStatusSchema),
  restore: (revision: number, body: RestoreRequest, signal?: AbortSignal) =>
    ask({ path: `config/revisions/${revision}/restore`, method: 'POST', body, signal }, revisionStatusSchema),
  rollouts: (page: Page, signal?: AbortSignal) =>
    ask({ path: 'rollouts', query: { ...page }, signal }, rolloutListSchema),
  rollout: (revision: number, signal?: AbortSignal) =>
    ask({ path: `rollouts/${revision}`, signal }, rolloutSchema),
  steerRollout: (revision: number, steering: 'pause' | 'resume' | 'abort') =>
    ask({ path: `rollouts/${revision}/${steering}`, method: 'POST' }, rolloutSchema),

  traces: (page: Page, signal?: AbortSignal) =>
    ask({ path: 'traces', query: { ...page }, signal }, traceListSchema),
  trace: (trace: string, signal?: AbortSignal) => ask({ path: `traces/${id(trace)}`, signal }, traceSchema),
  /** However often it is sent with the same key, one trace is begun. */
  startTrace: (body: TraceRequest, key: string) =>
    ask({ path: 'traces', method: 'POST', body, headers: { 'idempotency-key': key } }, traceSchema),
  endTrace: (trace: string) => ask({ path: `traces/${id(trace)}`, method: 'DELETE' }, traceSchema),

  audit: (query: Page & { actor?: string; action?: string }, signal?: AbortSignal) =>
    ask({ path: 'audit', query: { ...query }, signal }, auditListSchema),
}
