/**
 * The control API as functions: one for each route that the CLI uses, and the only way out. What a server says is
 * parsed with the schemas of @imapfleet/protocol before anybody sees it.
 */
import {
  auditListSchema,
  configViewSchema,
  edgeListSchema,
  edgeSchema,
  edgeStatsSchema,
  enrolmentListSchema,
  enrolmentMadeSchema,
  historySchema,
  orderListSchema,
  orderViewSchema,
  resolvedConfigSchema,
  revocationListSchema,
  revocationStatusSchema,
  revisionListSchema,
  revisionStatusSchema,
  rolloutListSchema,
  rolloutSchema,
  tokenListSchema,
  tokenMadeSchema,
  tokenSchema,
  traceListSchema,
  traceSchema,
  type EnrolmentRequest,
  type OrderRequest,
  type RestoreRequest,
  type RevisionRequest,
  type RevocationRequest,
  type TargetName,
  type TokenRequest,
  type TraceRequest,
} from '@imapfleet/protocol'
import { ask, askStream, type Question } from './ask.ts'
import type { Target } from './target.ts'

/** As typed: moments may be relative (`-1h`), `step` is in seconds. Undefined keys are not sent. */
export interface HistoryQuery {
  metrics: string
  from: string
  to: string
  step?: string | undefined
  groupBy: string
  region?: string | undefined
  edge?: string | undefined
}

/** Of a list whose newest come first; `before` is the `next` of the page before. */
export interface Page {
  limit: string
  before?: string | undefined
}

export type Api = ReturnType<typeof connect>

export function connect({ server, token }: Target) {
  const at = (path: string, query: Readonly<Record<string, string | undefined>> = {}): Question => {
    const url = new URL(`v1/${path}`, server)
    for (const [key, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(key, value)
    return { url, token }
  }
  const id = encodeURIComponent

  return {
    server,
    edges: () => ask(at('edges'), edgeListSchema),
    edge: (edge: string) => ask(at(`edges/${id(edge)}`), edgeSchema),

    enroll: (edge: string, body: EnrolmentRequest) =>
      ask({ ...at(`edges/${id(edge)}/enrolments`), method: 'POST', body }, enrolmentMadeSchema),
    enrolments: (query: Page & { edge?: string | undefined }) =>
      ask(at('enrolments', { ...query }), enrolmentListSchema),
    revokeEnrolments: (edge: string, key: string | undefined) =>
      ask({ ...at(`edges/${id(edge)}/enrolments`, { key }), method: 'DELETE' }, enrolmentListSchema),

    drain: (body: { target: TargetName }) =>
      ask({ ...at('edges/drain'), method: 'POST', body }, edgeListSchema),
    resume: (body: { target: TargetName }) =>
      ask({ ...at('edges/resume'), method: 'POST', body }, edgeListSchema),

    config: () => ask(at('config'), configViewSchema),
    resolvedConfig: (edge: string) => ask(at('config/resolved', { edge }), resolvedConfigSchema),
    revise: (body: RevisionRequest) =>
      ask({ ...at('config/revisions'), method: 'POST', body }, revisionStatusSchema),
    restore: (revision: number, body: RestoreRequest) =>
      ask({ ...at(`config/revisions/${revision}/restore`), method: 'POST', body }, revisionStatusSchema),
    revisions: (query: { limit?: string; before?: string }) =>
      ask(at('config/revisions', query), revisionListSchema),
    revision: (revision: number, signal?: AbortSignal) =>
      ask({ ...at(`config/revisions/${revision}`), ...(signal ? { signal } : {}) }, revisionStatusSchema),

    order: (body: OrderRequest) => ask({ ...at('orders'), method: 'POST', body }, orderViewSchema),
    orders: (query: Page) => ask(at('orders', { ...query }), orderListSchema),
    orderOf: (order: string) => ask(at(`orders/${id(order)}`), orderViewSchema),

    revoke: (body: RevocationRequest) =>
      ask({ ...at('revocations'), method: 'POST', body }, revocationStatusSchema),
    revocations: (query: Page) => ask(at('revocations', { ...query }), revocationListSchema),
    revocation: (sequence: number) => ask(at(`revocations/${sequence}`), revocationStatusSchema),

    rollouts: (query: Page) => ask(at('rollouts', { ...query }), rolloutListSchema),
    rollout: (revision: number) => ask(at(`rollouts/${revision}`), rolloutSchema),
    steerRollout: (revision: number, steering: 'pause' | 'resume' | 'abort') =>
      ask({ ...at(`rollouts/${revision}/${steering}`), method: 'POST' }, rolloutSchema),

    tokens: () => ask(at('tokens'), tokenListSchema),
    createToken: (body: TokenRequest) => ask({ ...at('tokens'), method: 'POST', body }, tokenMadeSchema),
    revokeToken: (ended: string) => ask({ ...at(`tokens/${id(ended)}`), method: 'DELETE' }, tokenSchema),
    audit: (query: Page & { actor?: string | undefined; action?: string | undefined }) =>
      ask(at('audit', { ...query }), auditListSchema),

    history: (query: HistoryQuery) => ask(at('stats/history', { ...query }), historySchema),

    startTrace: (body: TraceRequest) => ask({ ...at('traces'), method: 'POST', body }, traceSchema),
    traces: (query: { limit: string }) => ask(at('traces', query), traceListSchema),
    trace: (trace: string, signal?: AbortSignal) =>
      ask({ ...at(`traces/${id(trace)}`), ...(signal ? { signal } : {}) }, traceSchema),
    endTrace: (trace: string) => ask({ ...at(`traces/${id(trace)}`), method: 'DELETE' }, traceSchema),
    /** Server-Sent Events until the trace ends or the connection does. `after`: the last event that was seen. */
    traceLive: (trace: string, signal: AbortSignal, after?: string) =>
      askStream({
        ...at(`traces/${id(trace)}/live`),
        signal,
        headers: after === undefined ? {} : { 'last-event-id': after },
      }),
  }
}

/** An edge's own HTTP port: no control plane, no token. */
export const edgeStats = (edge: URL, signal?: AbortSignal) =>
  ask({ url: new URL('stats', edge), ...(signal ? { signal } : {}) }, edgeStatsSchema)
