/**
 * Operations on a running context, each implemented once. XPROXY commands (xproxy.ts), orders of the fleet and the fleet's
 * desired state call them. An order is one line in `orderOperations`.
 */
import type { Connection, OrderAction, OrderKind, OrderOutcome, Revocation } from '@imapfleet/protocol'
import type { EdgeContext } from '../edge/context.ts'
import { userKeyOf } from '../pool/key.ts'
import type { ActiveSession } from '../session/sessions.ts'
import { version } from '../version.ts'
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
export function listConnections(context: EdgeContext, user?: string): ListedConnection[] {
  const { connections } = context.pool
  const sessions = new Map(
    [...context.sessions.active].map((session) => [session.splice.connection, session]),
  )
  return [...connections.all()]
    .filter(([connection]) => user === undefined || connection.user === user)
    .map(([connection, state]) => {
      const client = connections.holderOf(connection)?.address
      const session = state === 'leased' ? sessions.get(connection) : undefined
      return {
        number: connection.number,
        connection: {
          user: connection.user,
          upstream: connection.serverName,
          state,
          ...(client !== undefined && { client }),
          since: context.clock.wallAt(connection.lastUsedAt),
          uses: connection.uses,
          ...(session && { session: listedSession(context, session) }),
        },
      }
    })
}

function listedSession(
  context: EdgeContext,
  { startedAt, splice }: ActiveSession,
): NonNullable<Connection['session']> {
  const { clientBytes, upstreamBytes, lastVerb } = splice
  return {
    startedAt: context.clock.wallAt(startedAt),
    clientBytes,
    upstreamBytes,
    ...(lastVerb !== undefined && { command: lastVerb }),
  }
}

/** Ends all sessions of a user. Returns their number. */
const kick = (context: EdgeContext, user: string): number => context.sessions.endAll('kicked', user)

/** Ends the sessions of all users of a domain. Returns their number. */
function kickDomain(context: EdgeContext, domain: string): number {
  const users = new Set(
    [...context.pool.connections.all()].map(([{ user }]) => user).filter((user) => isOfDomain(user, domain)),
  )
  return [...users].reduce((ended, user) => ended + kick(context, user), 0)
}

/** How many users and connections an operation would affect. A connection that is being opened is not counted. */
function countConnections(
  context: EdgeContext,
  { user, domain, upstream }: Omit<OrderAction<'count'>, 'kind'>,
): { users: number; active: number; idle: number } {
  const users = new Set<string>()
  const counted = { active: 0, idle: 0 }
  for (const [connection, state] of context.pool.connections.all()) {
    if (user !== undefined && connection.user !== user) continue
    if (domain !== undefined && !isOfDomain(connection.user, domain)) continue
    if (upstream !== undefined && connection.serverName !== upstream) continue
    users.add(connection.user)
    if (state === 'leased') counted.active++
    else counted.idle++
  }
  return { users: users.size, ...counted }
}

/** Case is ignored, because servers may ignore it. */
const isOfDomain = (user: string, domain: string): boolean =>
  user.toLowerCase().endsWith(`@${domain.toLowerCase()}`)

/** Closes idle connections, of one user or of all users. Returns their number. */
function purgeIdle(context: EdgeContext, user?: string): number {
  const meant = context.pool.connections.idle().filter((idle) => user === undefined || idle.user === user)
  for (const idle of meant) context.pool.drop(idle, 'purged')
  return meant.length
}

/**
 * Closes the idle connections of a user or a domain, and those that are in use or being opened after their sessions. Returns
 * the number of open connections. Their age is not compared with the time of the revocation, because clocks may differ. Case is
 * ignored, because servers may ignore it. The name whose password opened a connection also counts, if it differs (authzid).
 */
export function revoke(
  context: EdgeContext,
  { kind, subject }: Pick<Revocation, 'kind' | 'subject'>,
): number {
  const wanted = subject.toLowerCase()
  const isMeant = (user: string) =>
    kind === 'user' ? user.toLowerCase() === wanted : isOfDomain(user, wanted)
  return context.pool.purge(({ user, openedBy }) => isMeant(user) || isMeant(openedBy), 'revoked')
}

/** Another edge has evidence about secrets of these users: distrusts connections that their secrets opened on this edge. */
export const distrustUsers = (context: EdgeContext, users: readonly string[]): void =>
  context.pool.evidence.changedElsewhere(new Set(users.map(userKeyOf)))

/** Reports of other edges may have been missed: distrusts every connection. */
export const distrustAll = (context: EdgeContext): number => context.pool.purge(() => true, 'fleet-evidence')

/** Reuses no idle connection until `work` settles. */
export async function withoutReuse(context: EdgeContext, work: () => Promise<void>): Promise<void> {
  const resume = context.pool.suspendReuse()
  try {
    await work()
  } finally {
    resume()
  }
}

/** Pauses or resumes a server. While it is paused, logins open no connections to it. A restart of the edge resumes it. */
function pauseServer(context: EdgeContext, name: string, isPaused: boolean): Done {
  const server = context.servers.get(name)
  if (!server) return failed(`there is no upstream named ${name}`)
  server.isPaused = isPaused
  return done({})
}

/** Name of the server that this user is routed to on this listener. */
const findRoute = (context: EdgeContext, user: string, listener = ''): string =>
  context.servers.for(user, listener).name

/** Resets the totals and peaks of the statistics. Metrics and reports are not affected. */
export function resetCounters(context: EdgeContext): Done {
  context.statistics.reset()
  return done({})
}

const noLog = failed('there is no protocol log: set trace.file (protocol_log_filename) and restart the edge')

/** Empties the protocol log. */
export function clearLog({ protocolLog }: EdgeContext): Done {
  if (!protocolLog) return noLog
  const reason = protocolLog.clear()
  return reason === undefined ? done({}) : failed(reason)
}

/** Reopens the log and the protocol log after they were renamed. If that fails, the edge keeps writing to the old files. */
export function reopenLogs({ log, protocolLog }: EdgeContext): Done {
  const files = [log.file, protocolLog].filter((file) => file !== undefined)
  if (files.length === 0)
    return failed(
      'there is no protocol log and no log file: set trace.file (protocol_log_filename) or log.file, and restart the edge',
    )
  const reasons = files.flatMap((file) => file.reopen() ?? [])
  return reasons.length === 0 ? done({}) : failed(reasons.join('; '))
}

/** Traces a user to `sink`. Idempotent by id. */
export const startTrace = (context: EdgeContext, trace: TraceOrder, sink: TraceSink): void =>
  context.tracer.start(trace, sink)

/** Ends the trace with this id, if there is one. */
export const stopTrace = (context: EdgeContext, id: string): void => context.tracer.stop(id, 'stopped')

const logTraceId = 'xproxy-trace'

/** Traces one user to the protocol log, in place of the previous user. Undefined: only ends the trace. */
export function traceIntoLog(context: EdgeContext, user: string | undefined): Done {
  if (!context.protocolLog) return noLog
  stopTrace(context, logTraceId)
  if (user === undefined) return done({})
  const { bytesMax } = context.settings.current.trace
  startTrace(
    context,
    { id: logTraceId, user, expiresAt: Infinity, bytesMax, bodies: false },
    context.protocolLog,
  )
  return done({})
}

/** The operation for each kind of order. */
const orderOperations: {
  [Kind in OrderKind]: (context: EdgeContext, action: OrderAction<Kind>) => OrderOutcome<Kind>
} = {
  who: (context, { user }) => done(listConnections(context, user).map(({ connection }) => connection)),
  'kick-user': (context, { user }) => done({ sessions: kick(context, user) }),
  'kick-domain': (context, { domain }) => done({ sessions: kickDomain(context, domain) }),
  count: (context, counted) => done(countConnections(context, counted)),
  'purge-idle': (context, { user }) => done({ connections: purgeIdle(context, user) }),
  'reset-counters': resetCounters,
  newlog: reopenLogs,
  version: () => done({ version }),
  'route-lookup': (context, { user, listener }) => done({ upstream: findRoute(context, user, listener) }),
  'pause-upstream': (context, { upstream }) => pauseServer(context, upstream, true),
  'resume-upstream': (context, { upstream }) => pauseServer(context, upstream, false),
}

export function carryOut<Action extends OrderAction>(
  context: EdgeContext,
  action: Action,
): OrderOutcome<Action['kind']> {
  const operation = orderOperations[action.kind] as (context: EdgeContext, action: Action) => OrderOutcome
  return operation(context, action) as OrderOutcome<Action['kind']>
}
