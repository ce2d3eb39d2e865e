/** What session.ts is handed by the edge: greeting, lease, welcome, splice, goodbye, with their counters and log lines. */
import { oneLine } from '@imapfleet/observe'
import type { Client } from '../client/client.ts'
import type { Login, Prelogin } from '../client/prelogin.ts'
import { goodbye, greeting, loginAnswer } from './greetings.ts'
import { userName } from '../imap/credentials.ts'
import { answerXproxy, mayAdminister } from '../ops/xproxy.ts'
import type { EdgeParts } from '../edge/edge-parts.ts'
import { Offers } from './capabilities.ts'
import { printId } from '../imap/id.ts'
import { decodeBase64 } from '../imap/sasl.ts'
import { acceptTls } from '../net/tls.ts'
import type { Leased, Refused } from '../pool/lease.ts'
import type { SessionEdge } from './session.ts'
import { ActiveSession } from './sessions.ts'
import type { Ending, HandBack } from '../splice/ending.ts'
import type { SpliceContext } from '../splice/context.ts'
import { Splice } from '../splice/splice.ts'

type SpliceOptions = ReturnType<SpliceContext['options']>

export class SessionParts implements SessionEdge {
  readonly prelogin: Prelogin
  readonly #edge: EdgeParts
  readonly #spliceContext: SpliceContext
  readonly #offers = new Offers()
  #options: SpliceOptions

  constructor(edge: EdgeParts) {
    this.#edge = edge
    this.#options = optionsOf(edge)
    this.prelogin = {
      capabilities: (client) => this.#capabilities(client),
      offersTls: (client) =>
        !client.secure &&
        edge.tlsContext(client.listener) !== undefined &&
        edge.listener(client.listener).tls === 'starttls',
      startTls: (client) => this.#startTls(client),
      mayLogin: (client) => client.secure || !edge.listener(client.listener).requireTls,
      admin: (client, verb, tag, rest) => answerXproxy(edge, client, verb, tag, rest),
    }
    this.#spliceContext = {
      options: () => this.#options,
      now: edge.clock.now,
      counters: edge.metrics.counters,
      onOwnRefused: (verb, text) =>
        edge.log.warn('QUEUED PREAUTH failed', { command: verb, answer: oneLine(text) }),
    }
  }

  /** Takes on the settings of a reload. */
  refresh(): void {
    this.#options = optionsOf(this.#edge)
  }

  greet(client: Client): void {
    client.write(greeting(this.#capabilities(client)))
  }

  lease(client: Client, { credentials }: Login): Leased | Promise<Leased | Refused> {
    const begun = performance.now()
    const server = this.#edge.serverFor(userName(credentials), client.listener)
    const settled = <L>(lease: L): L => {
      // Nothing of the login is needed any more; its secret should not wait for the collector.
      credentials.secret.fill(0)
      this.#edge.metrics.histograms.login_seconds.observe(performance.now() - begun)
      return lease
    }
    const lease = this.#edge.pool.lease(server, credentials, client)
    return lease instanceof Promise ? lease.then(settled) : settled(lease)
  }

  async refuse(client: Client, login: Login, refused: Refused): Promise<void> {
    this.#edge.log.info('login_refused', {
      user: userName(login.credentials),
      client: client.address,
      cause: refused.cause,
      answer: oneLine(refused.text),
    })
    if (refused.challenge !== undefined && decodeBase64(refused.challenge) !== undefined) {
      client.write(`+ ${refused.challenge}\r\n`)
      await client.nextLine()
    }
    client.reply(login.tag, `${refused.status} ${refused.text}`)
    if (refused.cause === 'wrong-credentials') client.mayTryAgain()
  }

  /** One write, so that all of it leaves in one segment. */
  welcome(client: Client, { tag }: Login, { upstream, tellReuse, untagged }: Leased): void {
    const { capabilities, loginText } = upstream
    client.write(loginAnswer({ tag, tellReuse, untagged, capabilities, text: loginText }))
  }

  splice(client: Client, leased: Leased): Promise<{ ending: Ending; handBack: HandBack }> {
    const edge = this.#edge
    return new Promise((resolve) => {
      const splice = new Splice(client.link, leased.upstream, this.#spliceContext, {
        exchange: (enabledKey, handBack) => this.#exchange(leased, enabledKey, handBack),
        onEnd: (ending) => {
          // First: the connection is given back whatever fails below.
          resolve({ ending, handBack: splice.handBack(ending) })
          this.#onEnd(session, ending)
        },
      })
      const session = new ActiveSession(leased.upstream.user, client, splice, edge.clock.now())
      edge.sessions.arriving.delete(client)
      edge.sessions.active.add(session)
      edge.tracer.add(
        session,
        `session began on ${leased.upstream.name}${leased.reused ? ', connection reused' : ''}`,
      )
      client.link.resume()
      splice.start(this.#idsOf(client, leased), client.takeEarly())
    })
  }

  sayGoodbye(client: Client, ending: Ending): void {
    const words = goodbye(ending)
    if (words !== undefined) client.write(words)
    client.close()
  }

  giveBack(leased: Leased, handBack: HandBack): Promise<void> {
    return this.#edge.pool.giveBack(leased.upstream, handBack)
  }

  /** Whatever became of the client, it is closed, and in no list any more. */
  onSessionEnd(client: Client): void {
    client.close()
    this.#edge.sessions.arriving.delete(client)
    if (client.refusal) this.#edge.metrics.counters.client_refusals_total({ reason: client.refusal }).value++
  }

  #onEnd(session: ActiveSession, ending: Ending): void {
    const { sessions, tracer, metrics, log } = this.#edge
    sessions.remove(session)
    tracer.remove(session, `session ended: ${ending.kind}`)
    metrics.histograms.session_seconds.observe(performance.now() - session.startedAt)
    metrics.counters.sessions_total({ ending: ending.kind }).value++
    if (log.isOn('debug'))
      log.debug('session_ended', { session: session.id, user: session.user, ending: ending.kind })
  }

  /** Moves a session to a connection that has what it wants enabled; its clean one goes back to the pool. */
  #exchange(leased: Leased, enabledKey: string, handBack: HandBack) {
    const { upstream } = leased
    const server = this.#edge.servers.get(upstream.name)
    const twin = server && this.#edge.pool.takeEnabled(upstream, server, enabledKey)
    if (!twin) return undefined
    leased.upstream = twin
    void this.#edge.pool.giveBack(upstream, handBack)
    return twin
  }

  /** What the server is told of this client: its own words, and its address where the operator wants that. */
  #idsOf(client: Client, { upstream }: Leased): string[] {
    const ids = client.ids.map(printId)
    if (this.#edge.servers.get(upstream.name)?.config.clientAddress !== 'id') return ids
    return [printId([['x-originating-ip', client.address]]), ...ids]
  }

  async #startTls(client: Client): Promise<boolean> {
    const context = this.#edge.tlsContext(client.listener)
    if (!context || !(await acceptTls(client.link, context, client.deadlineAt - this.#edge.clock.now())))
      return false
    client.secure = true
    client.listen()
    return true
  }

  #capabilities(client: Client): string {
    const { requireTls } = this.#edge.listener(client.listener)
    return this.#offers.list(client.listener, this.#edge.serversOn(client.listener), {
      offerStartTls: this.prelogin.offersTls(client),
      loginDisabled: requireTls && !client.secure,
      adminCommands: mayAdminister(this.#edge, client),
    })
  }
}

function optionsOf(edge: EdgeParts): SpliceOptions {
  const { clients, pool } = edge.settings.current
  return {
    lineBytesMax: clients.lineBytesMax,
    answerCapability: pool.answerCapability,
    answerId: pool.answerId,
    selectCache: pool.selectCache,
    selectCacheWindowMs: pool.selectCacheWindowMs,
    resetTimeoutMs: pool.resetTimeoutMs,
  }
}
