/** One session from accept to close: greeting, login, lease, splice, and the return of the connection to the pool. */
import { oneLine } from '@imapfleet/observe'
import type { Client } from '../client/client.ts'
import type { EdgeContext } from '../edge/context.ts'
import { stackOf } from '../errors.ts'
import { offers } from '../imap/capability.ts'
import { userName } from '../imap/credentials.ts'
import { pageHintsIn } from '../imap/page-hints.ts'
import { decodeBase64 } from '../imap/sasl.ts'
import { countsAsLoginFailure, type Leased, type Refused } from '../pool/lease.ts'
import { runtime } from '../runtime.ts'
import type { ServerConnection } from '../server/server-connection.ts'
import type { HandBack } from '../server/reset.ts'
import type { AheadSetup } from '../splice/ahead-setup.ts'
import { BehindBarrier } from '../splice/behind-barrier.ts'
import type { Ending } from '../splice/ending.ts'
import { Splice } from '../splice/splice.ts'
import { greeting, loginAnswer } from './greetings.ts'
import { capabilitiesFor, nextLogin, type Login } from './prelogin.ts'
import { ActiveSession } from './sessions.ts'

/** Runs a session to its end. An exception is a bug: it ends only this session and its server connection. */
export async function runSession(client: Client, context: EdgeContext): Promise<void> {
  const { sessions, pool, log, metrics, clientAdmission } = context
  sessions.arrive(client)
  try {
    client.write(greeting(capabilitiesFor(client, context)))
    for (;;) {
      const login = await nextLogin(client, context)
      if (login === undefined) return
      clientAdmission.protect(client.place)

      const { lease, behind } = await leaseFor(client, login, context)
      if (lease.kind === 'refused') {
        await refuse(client, login, lease, context)
        clientAdmission.unprotect(client.place)
        continue
      }
      client.write(loginAnswer(login.tag, lease))
      const handBack = await runSplice(client, lease, behind, context)
      await pool.giveBack(handBack, client)
      return
    }
  } catch (error) {
    log.error('session_failed', { error: stackOf(error) })
    pool.abandon(client)
    sessions.abandon(client)
  } finally {
    client.close()
    sessions.leave(client)
    if (client.refusal) metrics.counters.client_refusals_total({ reason: client.refusal }).value++
  }
}

/** The result of a login, and the questions that were sent on its connection while it waited. */
interface Arrival {
  lease: Leased | Refused
  behind: BehindBarrier | undefined
}

/** Leases a connection of exactly this user: an idle one, or a new one if the server accepts the credentials. */
function leaseFor(
  client: Client,
  { tag, credentials }: Login,
  context: EdgeContext,
): Arrival | Promise<Arrival> {
  const { servers, pool, metrics } = context
  const startedAt = runtime.now()
  let asked: BehindBarrier | undefined
  const settled = (lease: Leased | Refused): Arrival => {
    // The secret is no longer needed, and should not stay in memory until garbage collection.
    credentials.secret.fill(0)
    metrics.histograms.login_seconds.observe(runtime.now() - startedAt)
    const behind = lease.kind === 'leased' && asked?.connection === lease.connection ? asked : undefined
    if (behind === undefined) asked?.drop()
    return { lease, behind }
  }
  const followersFor = (connection: ServerConnection): BehindBarrier | undefined => {
    const setup = aheadFor(client, connection, context)
    asked?.drop()
    return (asked = setup && BehindBarrier.for(setup, context, connection, tag))
  }
  const server = servers.for(userName(credentials), client.listener)
  const lease = pool.lease(server, credentials, client, followersFor)
  return lease instanceof Promise ? lease.then(settled) : settled(lease)
}

/** Answers a refused login with the text of the server or of the edge. The client may try again up to a limit. */
async function refuse(
  client: Client,
  { tag, credentials }: Login,
  refused: Refused,
  { log }: EdgeContext,
): Promise<void> {
  // infra/fail2ban parses the line from its start, so no external text may precede the address and the cause.
  log.frequentInfo('login_refused', {
    client: client.address,
    cause: refused.cause,
    user: userName(credentials),
    answer: oneLine(refused.logText),
  })
  if (refused.challenge !== undefined && decodeBase64(refused.challenge) !== undefined) {
    client.write(`+ ${refused.challenge}\r\n`)
    await client.nextLine()
  }
  const lines = [...(refused.untagged ?? []), `${tag} ${refused.status} ${refused.text}`]
  client.write(lines.map((line) => `${line}\r\n`).join(''))
  if (countsAsLoginFailure(refused.cause)) client.countFailure()
  if (refused.cause === 'abandoned') client.sendAway()
}

/** Joins the client and the server connection until LOGOUT, or until one of them disconnects. */
function runSplice(
  client: Client,
  lease: Leased,
  behind: BehindBarrier | undefined,
  context: EdgeContext,
): Promise<HandBack> {
  const { sessions, tracer, servers, pool } = context
  const { connection } = lease
  return new Promise((resolve) => {
    // The session must take over questions behind a barrier.
    const isAhead = behind !== undefined || isWorthwhile(connection, context)
    const ahead = isAhead ? aheadFor(client, connection, context) : undefined
    const ends = { client: client.link, connection }
    const splice = new Splice(
      context,
      ends,
      {
        swap: (enabledKey, handBack) => {
          const server = servers.get(handBack.connection.serverName)
          return server && pool.swap(server, enabledKey, handBack, client)
        },
        onCondstore: () => pool.noteCondstore(connection.identity, client),
        onEnd: (ending, handBack) => {
          // First, so that the connection is given back even if a later step fails.
          resolve(handBack)
          // The client need not wait for the reset of the server connection, and gets the last text and the close together.
          client.close()
          endSession(session, lease, ending, context)
        },
      },
      ahead,
      behind,
    )
    const session = new ActiveSession(connection.user, client, splice)
    sessions.begin(session)
    tracer.begin(
      session,
      `session began on ${connection.serverName}${lease.reused ? ', connection reused' : ''}`,
    )
    client.link.resume()
    splice.start(lease.idsSent ? [] : idsFor(client, connection, context), client.takeEarly())
  })
}

/** Whether this session should use answer-ahead. */
function isWorthwhile({ serverName }: ServerConnection, { servers, clock }: EdgeContext): boolean {
  const server = servers.get(serverName)
  return server?.knowledge?.isWorthwhile(server.config.aheadRoundTripMinMs, clock.now()) === true
}

/** The settings of answer-ahead for this session. Undefined: it is off for this server. */
function aheadFor(
  client: Client,
  { serverName, identity }: ServerConnection,
  { servers }: EdgeContext,
): AheadSetup | undefined {
  const server = servers.get(serverName)
  if (server?.knowledge === undefined) return undefined
  return {
    upstream: serverName,
    mode: server.ahead === 'on' ? 'on' : 'learn',
    roundTripMinMs: server.config.aheadRoundTripMinMs,
    knowledge: server.knowledge,
    identity,
    hints: pageHintsIn(client.ids),
  }
}

function endSession(session: ActiveSession, lease: Leased, ending: Ending, context: EdgeContext): void {
  const { sessions, tracer, metrics, settings, log } = context
  const durationMs = runtime.now() - session.startedAt
  sessions.end(session)
  tracer.end(session, `session ended: ${ending.kind}`)
  metrics.histograms.session_seconds.observe(durationMs)
  metrics.counters.sessions_total({ ending: ending.kind }).value++
  if (!settings.current.log.sessions || !log.isOn('info')) return
  const { client, splice } = session
  // docs/logs.md describes the fields.
  log.frequentInfo('session_ended', {
    edge: settings.atStart.edge.id,
    session: session.id,
    user: session.user,
    client: client.address,
    upstream: lease.connection.serverName,
    reused: lease.reused,
    ahead_used: splice.aheadUsed,
    client_bytes: splice.clientBytes,
    upstream_bytes: splice.upstreamBytes,
    duration_ms: Math.round(durationMs),
    ending: ending.kind,
  })
}

/** ID commands for a reused connection. A server that does not list ID gets none. */
function idsFor(
  client: Client,
  { serverName, capabilities }: ServerConnection,
  { servers }: EdgeContext,
): string[] {
  const server = servers.get(serverName)
  if (!server) return []
  const list = capabilities.length > 0 ? capabilities : server.capabilities
  return offers(list, 'ID') ? server.idCommands(client) : []
}
