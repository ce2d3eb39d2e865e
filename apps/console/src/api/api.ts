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
  consoleSessionSchema,
  traceListSchema,
  traceSchema,
  type History,
  type OrderRequest,
  type RestoreRequest,
  type RevisionRequest,
  type RevocationRequest,
  type FleetTarget,
  type TraceRequest,
} from '@imapfleet/api'
import { type OrderAction } from '@imapfleet/protocol'
import { askControl, send } from './ask.ts'

/** For lists with the newest first. `before` is the `next` of the previous page. */
export interface ListPage {
  limit: number
  before?: number | string | undefined
}

/** Moments can be relative (`-1h`); a step is like `30s`. */
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
  session: (signal?: AbortSignal) => askControl({ path: 'session', signal }, consoleSessionSchema),
  signIn: (token: string) =>
    askControl({ path: 'session', method: 'POST', body: { token } }, consoleSessionSchema),
  signOut: () => send({ path: 'session', method: 'DELETE' }),

  edges: (signal?: AbortSignal) => askControl({ path: 'edges', signal }, edgeListSchema),
  edge: (edge: string, signal?: AbortSignal) => askControl({ path: `edges/${id(edge)}`, signal }, edgeSchema),
  forgetEdge: (edge: string) => askControl({ path: `edges/${id(edge)}`, method: 'DELETE' }, edgeSchema),
  drain: (target: FleetTarget) =>
    askControl({ path: 'edges/drain', method: 'POST', body: { target } }, edgeListSchema),
  resume: (target: FleetTarget) =>
    askControl({ path: 'edges/resume', method: 'POST', body: { target } }, edgeListSchema),

  history: ({ metrics, ...rest }: HistoryQuery, signal?: AbortSignal) =>
    askControl(
      { path: 'stats/history', query: { metrics: metrics.join(','), ...rest }, signal },
      historySchema,
    ),

  order: <Action extends OrderAction>(body: OrderRequest<Action>, signal?: AbortSignal) =>
    askControl(
      { path: 'orders', method: 'POST', body, signal },
      orderViewOf<Action['kind']>(body.action.kind),
    ),
  orders: (page: ListPage, signal?: AbortSignal) =>
    askControl({ path: 'orders', query: { ...page }, signal }, orderListSchema),
  orderOf: (order: string, signal?: AbortSignal) =>
    askControl({ path: `orders/${id(order)}`, signal }, orderViewSchema),

  revoke: (body: RevocationRequest) =>
    askControl({ path: 'revocations', method: 'POST', body }, revocationStatusSchema),
  revocations: (page: ListPage, signal?: AbortSignal) =>
    askControl({ path: 'revocations', query: { ...page }, signal }, revocationListSchema),
  revocation: (sequence: number, signal?: AbortSignal) =>
    askControl({ path: `revocations/${sequence}`, signal }, revocationStatusSchema),

  config: (signal?: AbortSignal) => askControl({ path: 'config', signal }, configViewSchema),
  configKeys: (signal?: AbortSignal) => askControl({ path: 'config/keys', signal }, configKeyListSchema),
  importConf: (text: string, signal?: AbortSignal) =>
    askControl({ path: 'config/import', method: 'POST', body: { text }, signal }, confReportSchema),
  revise: (body: RevisionRequest, signal?: AbortSignal) =>
    askControl({ path: 'config/revisions', method: 'POST', body, signal }, revisionStatusSchema),
  revisions: (page: ListPage, signal?: AbortSignal) =>
    askControl({ path: 'config/revisions', query: { ...page }, signal }, revisionListSchema),
  revision: (revision: number, signal?: AbortSignal) =>
    askControl({ path: `config/revisions/${revision}`, signal }, revisionStatusSchema),
  restore: (revision: number, body: RestoreRequest, signal?: AbortSignal) =>
    askControl(
      { path: `config/revisions/${revision}/restore`, method: 'POST', body, signal },
      revisionStatusSchema,
    ),
  rollouts: (page: ListPage, signal?: AbortSignal) =>
    askControl({ path: 'rollouts', query: { ...page }, signal }, rolloutListSchema),
  rollout: (revision: number, signal?: AbortSignal) =>
    askControl({ path: `rollouts/${revision}`, signal }, rolloutSchema),
  steerRollout: (revision: number, steering: 'pause' | 'resume' | 'abort') =>
    askControl({ path: `rollouts/${revision}/${steering}`, method: 'POST' }, rolloutSchema),

  traces: (page: ListPage, signal?: AbortSignal) =>
    askControl({ path: 'traces', query: { ...page }, signal }, traceListSchema),
  trace: (trace: string, signal?: AbortSignal) =>
    askControl({ path: `traces/${id(trace)}`, signal }, traceSchema),
  /** Requests with the same key start one trace only. */
  startTrace: (body: TraceRequest, key: string) =>
    askControl({ path: 'traces', method: 'POST', body, headers: { 'idempotency-key': key } }, traceSchema),
  endTrace: (trace: string) => askControl({ path: `traces/${id(trace)}`, method: 'DELETE' }, traceSchema),

  audit: (query: ListPage & { actor?: string; action?: string }, signal?: AbortSignal) =>
    askControl({ path: 'audit', query: { ...query }, signal }, auditListSchema),
}
