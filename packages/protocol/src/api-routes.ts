/**
 * Routes of the control API, with the types of parameters, bodies and answers. Generated from the OpenAPI document by
 * `npm run manuals`; do not edit.
 */
type TokenRequest = { name: string; role: "viewer" | "operator" | "admin"; scopes?: ("trace-bodies")[] | undefined; expiresInSeconds?: number | undefined }

type Token = { id: string; name: string; role: "viewer" | "operator" | "admin"; scopes: (string)[]; createdBy: string; createdAt: string; expiresAt: string | null; revokedAt: string | null; lastUsedAt: string | null }

type AuditEntry = { id: number; at: string; actor: string; action: string; target: string; before: string | number | boolean | Record<string, unknown> | (unknown)[] | null; after: string | number | boolean | Record<string, unknown> | (unknown)[] | null }

type Edge = { id: string; region: string; state: "serving" | "draining" | "stopping" | "silent"; version: string; boot: string; startedAt: string; lastSeenAt: string; connections: { cached: number; active: number; clients: number }; pool?: { dialing: number; leased: number; resetting: number; idle: number; waiting: number } | undefined; upstreams?: ({ name: string; healthy: boolean })[] | undefined; config: { wanted: number; applied: number; rejected: { revision: number; reason: string } | null }; degraded: (string)[]; listeners: (string)[]; drain?: boolean | undefined; credential?: "valid" | "revoked" | undefined; forgottenAt?: string | undefined }

type FleetTarget = { kind: "all" } | { kind: "region"; name: string } | { kind: "edge"; name: string }

type EnrolmentRequest = { region: string }

type Enrolment = { key: string; edge: string; region: string; createdBy: string; createdAt: string; revokedBy: string | null; revokedAt: string | null; enforcedAt: string | null }

type Config = { revision: number; layers: Record<string, Record<string, string | number | boolean | Record<string, unknown> | (unknown)[] | null>> }

type ConfigKey = { key: string; help: string; reload: "live" | "restart"; secret: boolean; values: string; choices?: (string)[] | undefined; preset?: string | undefined }

type ConfReport = { set: Record<string, string | number | boolean | Record<string, unknown> | (unknown)[] | null>; report: ({ keyword: string; line?: number | undefined; value?: string | undefined; became: (string)[]; note?: string | undefined })[]; kept: (string)[] }

type ConfRequest = { text: string }

type ResolvedConfig = { revision: number; layer: Record<string, string | number | boolean | Record<string, unknown> | (unknown)[] | null> }

type RevisionStatus = { revision: Revision; edges: ({ id: string; region: string; status: "applied" | "pending" | "rejected" | "silent"; reason: string | null })[]; waves?: ({ name: string; edges: (string)[] })[] | undefined }

type Revision = { revision: number; createdAt: string; createdBy: string; note: string; layer: LayerName; changes: (Change)[]; state?: "released" | "rolling" | "withdrawn" | undefined }

type LayerName = { kind: "global" } | { kind: "region"; name: string } | { kind: "edge"; name: string }

type Change = { key: string; before: string | number | boolean | Record<string, unknown> | (unknown)[] | null; after: string | number | boolean | Record<string, unknown> | (unknown)[] | null; reload?: "live" | "restart" | undefined }

type RevisionRequest = { layer: LayerName; set?: Record<string, string | number | boolean | Record<string, unknown> | (unknown)[] | null> | undefined; unset?: (string)[] | undefined; note?: string | undefined; base?: number | undefined; dryRun?: boolean | undefined; rollout?: RolloutRequest | undefined }

type RolloutRequest = { canaryEdges?: (string)[] | undefined; canaryPercent?: number | undefined; regions?: (string)[] | undefined; soakSeconds?: number | undefined; silenceSeconds?: number | undefined; errorShareMax?: number | undefined }

type RestoreRequest = { note?: string | undefined; base?: number | undefined; dryRun?: boolean | undefined; rollout?: RolloutRequest | undefined }

type History = { from: string; to: string; stepSeconds: number; resolution: "reports" | "10s" | "1m" | "1h"; groupBy: "fleet" | "region" | "edge" | "upstream"; metrics: (string)[]; groups: ({ group: string; values: ((number | null)[])[]; totals: (number | null)[] })[] }

type Order = { id: string; givenBy: string; at: string; target: FleetTarget; action: OrderAction; finishedAt: string | null; edges: (OrderedEdge)[] }

type OrderAction = { kind: "who"; user?: string | undefined } | { kind: "kick-user"; user: string } | { kind: "kick-domain"; domain: string } | { kind: "purge-idle"; user?: string | undefined } | { kind: "count"; user?: string | undefined; domain?: string | undefined; upstream?: string | undefined } | { kind: "reset-counters" } | { kind: "newlog" } | { kind: "version" } | { kind: "route-lookup"; user: string; listener?: string | undefined } | { kind: "pause-upstream"; upstream: string } | { kind: "resume-upstream"; upstream: string }

type OrderedEdge = { id: string; region: string; status: "answered"; reason: null; result: OrderResult } | { id: string; region: string; status: "failed" | "silent"; reason: string; result: null }

type OrderResult = (Connection)[] | { sessions: number } | { connections: number } | { users: number; active: number; idle: number } | { version: string } | { upstream: string } | {  }

type Connection = { user: string; upstream: string; state: "leased" | "resetting" | "idle"; client?: string | undefined; since: number; uses: number }

type OrderRequest = { id?: string | undefined; target?: FleetTarget | undefined; action: OrderAction; timeoutMs?: number | undefined }

type RevocationStatus = { revocation: Revocation; edges: ({ id: string; region: string; status: "applied" | "pending" | "silent" })[] }

type Revocation = { sequence: number; kind: "user" | "domain"; subject: string; at: string; createdBy: string; note: string }

type RevocationRequest = { kind: "user" | "domain"; subject: string; note?: string | undefined }

type Rollout = { revision: number; layer: LayerName; state: "running" | "paused" | "completed" | "rolled-back" | "aborted"; reason: string | null; createdAt: string; createdBy: string; finishedAt: string | null; undoneBy: number | null; settings: RolloutRequest; waves: ({ name: string; state: "waiting" | "current" | "done"; edges: ({ id: string; region: string; status: "waiting" | "pending" | "applied" | "rejected" | "silent" | "skipped" })[] })[] }

type Trace = { id: string; user: string; createdBy: string; createdAt: string; expiresAt: string; endedAt: string | null; bodies: boolean }

type TraceRequest = { user: string; seconds?: number | undefined; bytesMax?: number | undefined; bodies?: boolean | undefined }

export interface ApiRoutes {
  'POST /v1/tokens': { body: TokenRequest; answer: { id: string; name: string; role: "viewer" | "operator" | "admin"; scopes: (string)[]; createdBy: string; createdAt: string; expiresAt: string | null; revokedAt: string | null; lastUsedAt: string | null; token: string } }
  'GET /v1/tokens': { query?: { limit?: number | string | undefined; before?: string | undefined }; answer: { tokens: (Token)[]; next: string | null } }
  'DELETE /v1/tokens/{id}': { path: { id: string }; answer: Token }
  'GET /v1/audit': { query?: { limit?: number | string | undefined; before?: number | string | undefined; actor?: string | undefined; action?: string | undefined }; answer: { entries: (AuditEntry)[]; next: number | null } }
  'GET /v1/edges': { query?: { limit?: number | string | undefined; after?: string | undefined }; answer: { edges: (Edge)[]; next?: string | null | undefined } }
  'GET /v1/edges/{id}': { path: { id: string }; answer: Edge }
  'DELETE /v1/edges/{id}': { path: { id: string }; answer: Edge }
  'POST /v1/edges/drain': { body: { target: FleetTarget }; answer: { edges: (Edge)[]; next?: string | null | undefined } }
  'POST /v1/edges/resume': { body: { target: FleetTarget }; answer: { edges: (Edge)[]; next?: string | null | undefined } }
  'POST /v1/edges/{id}/enrolments': { path: { id: string }; body: EnrolmentRequest; answer: { key: string; edge: string; region: string; createdBy: string; createdAt: string; revokedBy: string | null; revokedAt: string | null; enforcedAt: string | null; credentials: string } }
  'DELETE /v1/edges/{id}/enrolments': { path: { id: string }; query?: { key?: string | undefined }; answer: { enrolments: (Enrolment)[]; next: number | null } }
  'GET /v1/enrolments': { query?: { limit?: number | string | undefined; before?: number | string | undefined; edge?: string | undefined }; answer: { enrolments: (Enrolment)[]; next: number | null } }
  'GET /v1/config': { answer: Config }
  'GET /v1/config/keys': { answer: { keys: (ConfigKey)[] } }
  'POST /v1/config/import': { body: ConfRequest; answer: ConfReport }
  'GET /v1/config/resolved': { query: { edge: string }; answer: ResolvedConfig }
  'POST /v1/config/revisions': { body: RevisionRequest; answer: RevisionStatus }
  'GET /v1/config/revisions': { query?: { limit?: number | string | undefined; before?: number | string | undefined }; answer: { revisions: (Revision)[]; next: number | null } }
  'GET /v1/config/revisions/{revision}': { path: { revision: number | string }; answer: RevisionStatus }
  'POST /v1/config/revisions/{revision}/restore': { path: { revision: number | string }; body: RestoreRequest; answer: RevisionStatus }
  'GET /v1/stats/history': { query: { metrics: string; from?: string | undefined; to?: string | undefined; step?: string | undefined; groupBy?: "fleet" | "region" | "edge" | "upstream" | undefined; region?: string | undefined; edge?: string | undefined; upstream?: string | undefined; format?: "json" | "csv" | undefined }; answer: History }
  'GET /v1/live': { query?: { region?: string | undefined }; answer: string }
  'GET /v1/metrics': { answer: string }
  'POST /v1/orders': { body: OrderRequest; answer: Order }
  'GET /v1/orders': { query?: { limit?: number | string | undefined; before?: number | string | undefined }; answer: { orders: (Order)[]; next: number | null } }
  'GET /v1/orders/{id}': { path: { id: string }; answer: Order }
  'POST /v1/revocations': { body: RevocationRequest; answer: RevocationStatus }
  'GET /v1/revocations': { query?: { limit?: number | string | undefined; before?: number | string | undefined }; answer: { revocations: (Revocation)[]; next: number | null } }
  'GET /v1/revocations/{sequence}': { path: { sequence: number | string }; answer: RevocationStatus }
  'GET /v1/rollouts': { query?: { limit?: number | string | undefined; before?: number | string | undefined }; answer: { rollouts: (Rollout)[]; next: number | null } }
  'GET /v1/rollouts/{revision}': { path: { revision: number | string }; answer: Rollout }
  'POST /v1/rollouts/{revision}/{steering}': { path: { revision: number | string; steering: "pause" | "resume" | "abort" }; answer: Rollout }
  'POST /v1/traces': { body: TraceRequest; answer: Trace }
  'GET /v1/traces': { query?: { limit?: number | string | undefined; before?: string | undefined }; answer: { traces: (Trace)[]; next: string | null } }
  'GET /v1/traces/{id}': { path: { id: string }; answer: Trace }
  'DELETE /v1/traces/{id}': { path: { id: string }; answer: Trace }
  'GET /v1/traces/{id}/lines': { path: { id: string }; answer: string }
  'GET /v1/traces/{id}/live': { path: { id: string }; answer: string }
}
