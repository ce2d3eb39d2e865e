/**
 * The control API as functions: one for each route that the CLI uses. Every answer is parsed with the schemas of
 * @imapfleet/protocol.
 */
import {
  auditListSchema,
  configViewSchema,
  edgeListSchema,
  edgeSchema,
  enrolmentListSchema,
  enrolmentMadeSchema,
  historySchema,
  orderListSchema,
  orderViewOf,
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
  type EdgeView,
  type OrderRequest,
} from '@imapfleet/api'
import { edgeStatsSchema, type ApiRoutes, type OrderAction } from '@imapfleet/protocol'
import { ask } from './ask.ts'
import { callerOf, type RouteText } from './call.ts'
import type { ControlAddress } from './target.ts'

type Body<R extends RouteText> = ApiRoutes[R] extends { body: infer B } ? B : never
type Query<R extends RouteText> = ApiRoutes[R] extends { query?: infer Q } ? NonNullable<Q> : never

export type Api = ReturnType<typeof connect>

export function connect(target: ControlAddress) {
  const { call, listen } = callerOf(target)
  return {
    server: target.server,
    edges: async () => {
      const edges: EdgeView[] = []
      for (let after: string | null | undefined; after !== null;) {
        const page = await call('GET /v1/edges', { query: { after } }, edgeListSchema)
        edges.push(...page.edges)
        after = page.next ?? null
      }
      return { edges }
    },
    edge: (id: string) => call('GET /v1/edges/{id}', { path: { id } }, edgeSchema),
    forgetEdge: (id: string) => call('DELETE /v1/edges/{id}', { path: { id } }, edgeSchema),
    drain: (body: Body<'POST /v1/edges/drain'>) => call('POST /v1/edges/drain', { body }, edgeListSchema),
    resume: (body: Body<'POST /v1/edges/resume'>) => call('POST /v1/edges/resume', { body }, edgeListSchema),

    enroll: (id: string, body: Body<'POST /v1/edges/{id}/enrolments'>) =>
      call('POST /v1/edges/{id}/enrolments', { path: { id }, body }, enrolmentMadeSchema),
    enrolments: (query: Query<'GET /v1/enrolments'>) =>
      call('GET /v1/enrolments', { query }, enrolmentListSchema),
    revokeEnrolments: (id: string, key: string | undefined) =>
      call('DELETE /v1/edges/{id}/enrolments', { path: { id }, query: { key } }, enrolmentListSchema),

    config: () => call('GET /v1/config', {}, configViewSchema),
    resolvedConfig: (edge: string) =>
      call('GET /v1/config/resolved', { query: { edge } }, resolvedConfigSchema),
    revise: (body: Body<'POST /v1/config/revisions'>) =>
      call('POST /v1/config/revisions', { body }, revisionStatusSchema),
    restore: (revision: number, body: Body<'POST /v1/config/revisions/{revision}/restore'>) =>
      call(
        'POST /v1/config/revisions/{revision}/restore',
        { path: { revision }, body },
        revisionStatusSchema,
      ),
    revisions: (query: Query<'GET /v1/config/revisions'>) =>
      call('GET /v1/config/revisions', { query }, revisionListSchema),
    revision: (revision: number, signal?: AbortSignal) =>
      call('GET /v1/config/revisions/{revision}', { path: { revision } }, revisionStatusSchema, signal),

    order: <Action extends OrderAction>(body: OrderRequest<Action>) =>
      call('POST /v1/orders', { body }, orderViewOf<Action['kind']>(body.action.kind)),
    orders: (query: Query<'GET /v1/orders'>) => call('GET /v1/orders', { query }, orderListSchema),
    orderOf: (id: string) => call('GET /v1/orders/{id}', { path: { id } }, orderViewSchema),

    revoke: (body: Body<'POST /v1/revocations'>) =>
      call('POST /v1/revocations', { body }, revocationStatusSchema),
    revocations: (query: Query<'GET /v1/revocations'>) =>
      call('GET /v1/revocations', { query }, revocationListSchema),
    revocation: (sequence: number) =>
      call('GET /v1/revocations/{sequence}', { path: { sequence } }, revocationStatusSchema),

    rollouts: (query: Query<'GET /v1/rollouts'>) => call('GET /v1/rollouts', { query }, rolloutListSchema),
    rollout: (revision: number) => call('GET /v1/rollouts/{revision}', { path: { revision } }, rolloutSchema),
    steerRollout: (revision: number, steering: 'pause' | 'resume' | 'abort') =>
      call('POST /v1/rollouts/{revision}/{steering}', { path: { revision, steering } }, rolloutSchema),

    tokens: (query: Query<'GET /v1/tokens'>) => call('GET /v1/tokens', { query }, tokenListSchema),
    createToken: (body: Body<'POST /v1/tokens'>) => call('POST /v1/tokens', { body }, tokenMadeSchema),
    revokeToken: (id: string) => call('DELETE /v1/tokens/{id}', { path: { id } }, tokenSchema),
    audit: (query: Query<'GET /v1/audit'>) => call('GET /v1/audit', { query }, auditListSchema),

    history: (query: Query<'GET /v1/stats/history'>) =>
      call('GET /v1/stats/history', { query }, historySchema),

    startTrace: (body: Body<'POST /v1/traces'>) => call('POST /v1/traces', { body }, traceSchema),
    traces: (query: Query<'GET /v1/traces'>) => call('GET /v1/traces', { query }, traceListSchema),
    trace: (id: string, signal?: AbortSignal) =>
      call('GET /v1/traces/{id}', { path: { id } }, traceSchema, signal),
    endTrace: (id: string) => call('DELETE /v1/traces/{id}', { path: { id } }, traceSchema),
    /** Server-Sent Events until the trace or the connection ends. `after`: the last event that was received. */
    traceLive: (id: string, signal: AbortSignal, after?: string) =>
      listen('GET /v1/traces/{id}/live', { path: { id } }, 'text/event-stream', {
        signal,
        headers: after === undefined ? {} : { 'last-event-id': after },
      }),
    /** Server-Sent Events until the caller stops. */
    live: (query: Query<'GET /v1/live'>, signal: AbortSignal) =>
      listen('GET /v1/live', { query }, 'text/event-stream', { signal }),
    /** The stored lines, one JSON object per line. */
    traceLines: (id: string, signal: AbortSignal) =>
      listen('GET /v1/traces/{id}/lines', { path: { id } }, 'application/jsonl', { signal }),
  }
}

/** The HTTP port of an edge: no control plane, no token. */
export const edgeStats = (edge: URL, signal?: AbortSignal) =>
  ask({ url: new URL('stats', edge), ...(signal ? { signal } : {}) }, edgeStatsSchema)
