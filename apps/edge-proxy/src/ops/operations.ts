/**
 * Operations on a running edge, each implemented once. XPROXY commands (xproxy.ts), orders of the fleet and the fleet's
 * desired state call them. An order is one line in `orderOperations`.
 */
import type { Connection, OrderAction, OrderKind, OrderOutcome, Revocation } from '@imapfleet/protocol'
import type { EdgeContext } from '../edge/context.ts'
import { version } from '../edge/version.ts'
import type { TraceOrder, TraceSink } from '../observe/trace.ts'

/** The outcome of an operation that returns no data. */
export type Done = { ok: true; result: Record<string, never> } | { ok: false; reason: string }

const done = <Result>(result: Result) => ({ ok: true, result }) as const
const failed = (reason: string) => ({ ok: false, reason }) as const

/** A server connection, with the number that XPROXY_DUMPICC shows. */
export interface ListedConnection {
  number: number
  connection: Connection
}

/** Open server connections, of one user or of all. */
export function listConnections(edge: EdgeContext, user?: string): ListedConnection[] {
  const { connections } = edge.pool
  return [...connections.all()]
    .filter(([connection]) => user === undefined || connection.user === user)
    .map(([connection, state]) => {
      const client = connections.holderOf(connection)?.address
      return {
        number: connection.number,
        connection: {
          user: connection.user,
          upstream: connection.serverName,
          state,
          ...(client !== undefined && { client }),
          since: connection.lastUsedAt,
          uses: connection.uses,
        },
      }
    })
}

/** Ends all sessions of a user; the number of them. */
const kick = (edge: EdgeContext, user: string): number => edge.sessions.end('kicked', user)

/** Closes idle connections, of one user or of all; the number of them. */
function purgeIdle(edge: EdgeContext, user?: string): number {
  const meant = edge.pool.connections.idle().filter((idle) => user === undefined || idle.user === user)
  for (const idle of meant) edge.pool.drop(idle, 'purged')
  return meant.length
}

/**
 * Closes the idle connections of a user or a domain, and does not keep those that are in use or being opened; the number
 * of them. Age does not matter, since clocks may differ. Names are compared without regard to case, as servers may do.
 * The name that logged a connection in counts too, if it is not the user's (authzid).
 */
export function revoke(edge: EdgeContext, { kind, subject }: Pick<Revocation, 'kind' | 'subject'>): number {
  const wanted = subject.toLowerCase()
  const isMeant = (user: string) =>
    kind === 'user' ? user.toLowerCase() === wanted : user.toLowerCase().endsWith(`@${wanted}`)
  return edge.pool.purge(({ user, openedBy }) => isMeant(user) || isMeant(openedBy), 'revoked')
}

/** Reuses no idle connection until `work` settles. */
export async function withoutReuse(edge: EdgeContext, work: () => Promise<void>): Promise<void> {
  edge.pool.suspendReuse()
  try {
    await work()
  } finally {
    edge.pool.resumeReuse()
  }
}

/** Opens no connections to a server, or opens them again. Lasts until the edge restarts. */
function pauseServer(edge: EdgeContext, name: string, isPaused: boolean): Done {
  const server = edge.servers.get(name)
  if (!server) return failed(`there is no upstream named ${name}`)
  server.isPaused = isPaused
  return done({})
}

/** Name of the server for a user who comes by this listener. */
const findRoute = (edge: EdgeContext, user: string, listener = ''): string =>
  edge.servers.for(user, listener).name

/** Totals and peaks of the statistics start again; metrics and reports go on. */
export function resetCounters(edge: EdgeContext): Done {
  edge.statistics.reset()
  return done({})
}

const noLog = failed('there is no protocol log: set trace.file (protocol_log_filename) and restart the edge')

/** Empties the protocol log. */
export function clearLog({ protocolLog }: EdgeContext): Done {
  if (!protocolLog) return noLog
  const reason = protocolLog.clear()
  return reason === undefined ? done({}) : failed(reason)
}

/** Opens the protocol log by its name, after it was moved away. If that fails, the edge goes on with the old file. */
function reopenLog({ protocolLog }: EdgeContext): Done {
  if (!protocolLog) return noLog
  const reason = protocolLog.reopen()
  return reason === undefined ? done({}) : failed(reason)
}

/** Traces a user into `sink`. Idempotent by id. */
export const startTrace = (edge: EdgeContext, trace: TraceOrder, sink: TraceSink): void =>
  edge.tracer.start(trace, sink)

/** Ends a trace, if there is one of this id. */
export const stopTrace = (edge: EdgeContext, id: string): void => edge.tracer.stop(id, 'stopped')

const logTraceId = 'xproxy-trace'

/** Traces one user into the protocol log, in place of the user before. Undefined: only ends that trace. */
export function traceIntoLog(edge: EdgeContext, user: string | undefined): Done {
  if (!edge.protocolLog) return noLog
  stopTrace(edge, logTraceId)
  if (user === undefined) return done({})
  const { bytesMax } = edge.settings.current.trace
  startTrace(edge, { id: logTraceId, user, expiresAt: Infinity, bytesMax, bodies: false }, edge.protocolLog)
  return done({})
}

/** What an edge does for each order. */
const orderOperations: {
  [Kind in OrderKind]: (edge: EdgeContext, action: OrderAction<Kind>) => OrderOutcome<Kind>
} = {
  who: (edge, { user }) => done(listConnections(edge, user).map(({ connection }) => connection)),
  'kick-user': (edge, { user }) => done({ sessions: kick(edge, user) }),
  'purge-idle': (edge, { user }) => done({ connections: purgeIdle(edge, user) }),
  'reset-counters': resetCounters,
  newlog: reopenLog,
  version: () => done({ version }),
  'route-lookup': (edge, { user, listener }) => done({ upstream: findRoute(edge, user, listener) }),
  'pause-upstream': (edge, { upstream }) => pauseServer(edge, upstream, true),
  'resume-upstream': (edge, { upstream }) => pauseServer(edge, upstream, false),
}

export function carryOut<Action extends OrderAction>(
  edge: EdgeContext,
  action: Action,
): OrderOutcome<Action['kind']> {
  const operation = orderOperations[action.kind] as (edge: EdgeContext, action: Action) => OrderOutcome
  return operation(edge, action) as OrderOutcome<Action['kind']>
}
