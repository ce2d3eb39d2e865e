/** What session.ts is handed by the edge: greeting, lease, welcome, splice, goodbye, with their counters and log lines. */
import type { Client } from './client/client.ts'
import type { Login, Prelogin } from './client/prelogin.ts'
import { userName } from './credentials.ts'
import type { Edge } from './edge.ts'
import { afterLogin, beforeLogin, printCapabilities } from './imap/capability.ts'
import { oneLine } from './imap/encode.ts'
import { mechanisms } from './imap/sasl.ts'
import type { Leased, Refused } from './pool/pool.ts'
import type { SessionEdge } from './session.ts'
import { ActiveSession } from './sessions.ts'
import type { Ending, HandBack } from './splice/ending.ts'
import { Splice, type SpliceContext } from './splice/splice.ts'

export class SessionParts implements SessionEdge {
  readonly prelogin: Prelogin
  readonly #edge: Edge
  readonly #spliceContext: SpliceContext
  readonly #spliceCounters = { clientBytes: 0, upstreamBytes: 0, roundTripsSaved: 0 }
  readonly #logins = new Map<Client, number>()
  readonly #loginTimes
  readonly #sessionTimes
  #options: ReturnType<SpliceContext['options']>

  constructor(edge: Edge) {
    this.#edge = edge
    this.#loginTimes = edge.counters.timings('login_seconds')
    this.#sessionTimes = edge.counters.timings('session_seconds')
    this.#options = this.#spliceOptions()
    this.prelogin = {
      capabilities: (client) => this.#capabilities(client),
      startTls: undefined,
      mayLogin: () => true,
      admin: () => false,
    }
    this.#spliceContext = {
      options: () => this.#options,
      now: edge.clock.now,
      counters: this.#spliceCounters,
      onOwnRefused: (verb, text) =>
        edge.log.warn('QUEUED PREAUTH failed', { command: verb, answer: oneLine(text) }),
    }
    const { counters } = edge
    const sync = [
      [counters.counter('client_bytes_total'), 'clientBytes'],
      [counters.counter('upstream_bytes_total'), 'upstreamBytes'],
      [counters.counter('round_trips_saved_total'), 'roundTripsSaved'],
    ] as const
    // Counted in one plain object on the data path, moved to the books when somebody reads them.
    counters.gauges(() => {
      for (const [counter, name] of sync) counter.value = this.#spliceCounters[name]
      counters.counter('trace_lines_total').value = edge.tracer.linesTotal
      return {}
    })
  }

  /** Takes on the settings of a reload. */
  refresh(): void {
    this.#options = this.#spliceOptions()
  }

  greet(client: Client): void {
    client.write(`* OK [CAPABILITY ${this.#capabilities(client)}] imapfleet ready\r\n`)
  }

  async lease(client: Client, login: Login): Promise<Leased | Refused> {
    this.#logins.set(client, performance.now())
    const target = this.#edge.targetFor(userName(login.credentials), client.listener)
    const lease = await this.#edge.pool.lease(target, login.credentials, client.address)
    // Nothing of the login is needed any more; its secret should not wait for the collector.
    login.credentials.secret.fill(0)
    return lease
  }

  refuse(client: Client, login: Login, refused: Refused): void {
    this.#loginDone(client)
    this.#edge.log.info('login_refused', {
      user: userName(login.credentials),
      client: client.address,
      cause: refused.cause,
      answer: oneLine(refused.text),
    })
    client.reply(login.tag, `${refused.status} ${refused.text}`)
    if (refused.cause === 'wrong-credentials') client.mayTryAgain()
  }

  /** One write, so that all of it leaves in one segment. */
  welcome(client: Client, login: Login, leased: Leased): void {
    const { upstream, reused } = leased
    const before = reused
      ? '* OK [XPROXYREUSE] IMAP connection reused by imapfleet\r\n'
      : leased.untagged.map((line) => `${line}\r\n`).join('')
    const list =
      upstream.capabilities.length > 0
        ? `[CAPABILITY ${printCapabilities(afterLogin(upstream.capabilities))}] `
        : ''
    client.write(`${before}${login.tag} OK ${list}${upstream.loginText || 'Logged in'}\r\n`)
    this.#loginDone(client)
  }

  splice(client: Client, leased: Leased): Promise<{ ending: Ending; handBack: HandBack }> {
    const edge = this.#edge
    const { upstream } = leased
    return new Promise((resolve) => {
      const splice = new Splice(client.link, upstream, this.#spliceContext, (ending) => {
        edge.sessions.remove(session)
        edge.tracer.remove(session, `session ended: ${ending.kind}`)
        this.#sessionTimes.observe(edge.clock.now() - session.since)
        edge.counters.counter('sessions_total', { ending: ending.kind }).value++
        if (edge.log.isOn('debug'))
          edge.log.debug('session_ended', { session: session.id, user: session.user, ending: ending.kind })
        resolve({ ending, handBack: splice.handBack(ending) })
      })
      const session = new ActiveSession(upstream.user, client, splice, edge.clock.now())
      edge.sessions.arriving.delete(client)
      edge.sessions.active.add(session)
      edge.tracer.add(
        session,
        `session began on ${upstream.name}${leased.reused ? ', connection reused' : ''}`,
      )
      // The client may have gone while its login was under way: nobody would tell the splice.
      if (!client.link.isOpen) return splice.end({ kind: 'client-gone', end: 'closed-by-peer' })
      splice.start(client.takeEarly())
      for (const id of client.ids) splice.sendOwn('ID', id)
      client.link.resume()
    })
  }

  sayGoodbye(client: Client, ending: Ending): void {
    switch (ending.kind) {
      case 'logout':
        client.write(`* BYE Logging out\r\n${ending.tag} OK Completed\r\n`)
        return client.close()
      case 'upstream-gone':
        return client.bye('[UNAVAILABLE] Connection to the mail server is lost')
      case 'violation':
        return client.bye(
          ending.reason === 'line-too-long' ? 'Command line too long' : 'Literal not allowed here',
        )
      case 'idle-timeout':
        return client.bye('Idle for too long')
      case 'ended-here':
        return client.bye(
          ending.reason === 'shutdown' ? 'Server is stopping, try again' : 'Session ended by the operator',
        )
      case 'client-gone':
        return client.close()
    }
  }

  giveBack(leased: Leased, handBack: HandBack): Promise<void> {
    return this.#edge.pool.giveBack(leased.upstream, handBack)
  }

  /** Whatever became of the client, it is in no list any more. */
  onSessionEnd(client: Client): void {
    this.#edge.sessions.arriving.delete(client)
    this.#logins.delete(client)
    if (client.refusal)
      this.#edge.counters.counter('client_refusals_total', { reason: client.refusal }).value++
  }

  close(): void {}

  #loginDone(client: Client): void {
    const begun = this.#logins.get(client)
    if (begun !== undefined) this.#loginTimes.observe(performance.now() - begun)
    this.#logins.delete(client)
  }

  #capabilities(_client: Client): string {
    const [first] = this.#edge.targets.values()
    return printCapabilities(
      beforeLogin(first?.capabilities ?? [], {
        mechanisms,
        offerStartTls: false,
        loginDisabled: false,
        adminCommands: false,
      }),
    )
  }

  #spliceOptions(): ReturnType<SpliceContext['options']> {
    const { clients, pool } = this.#edge.settings.current
    return {
      lineBytesMax: clients.lineBytesMax,
      answerCapability: pool.answerCapability,
      answerId: pool.answerId,
    }
  }
}
