/**
 * How a logged-in connection comes to be: dial with retries, log in, and read what the server says about the login. All
 * failures are values: the server refused the login, or it is unavailable.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { oneLine } from '@imapfleet/observe'
import { filterCapabilityLine, lastCapabilities, withoutCapabilities } from '../imap/capability.ts'
import { secretsOf, withoutSecrets, type Credentials } from '../imap/credentials.ts'
import type { Link } from '../net/link.ts'
import { authenticate } from './authenticate.ts'
import { dial, type DialAbandoned, type Dialed, type DialFailure } from './dial.ts'
import type { Server } from './server.ts'

export type OpenResult =
  | {
      kind: 'opened'
      link: Link
      /** The list after login; empty if the server has not sent one. */
      capabilities: string[]
      /** The text of the server's OK, without a capability list. */
      text: string
      /** Untagged lines before the OK, for this client. */
      untagged: string[]
    }
  /** The server's answer to these credentials. */
  | {
      kind: 'login-refused'
      status: 'NO' | 'BAD'
      text: string
      /** The text for the log, without the secret that a server may repeat. */
      logText: string
      challenge?: string
      /** The edge refused them: the server was not asked. */
      byEdge?: true
    }
  /** The server gave no answer about these credentials. */
  | { kind: 'unavailable'; reason: string; detail: string }
  /** The signal was aborted before the server had answered the login. */
  | DialAbandoned

const wrongSharedSecret = '[AUTHENTICATIONFAILED] Authentication failed.'
const refusedHere = {
  kind: 'login-refused',
  status: 'NO',
  text: wrongSharedSecret,
  logText: wrongSharedSecret,
  byEdge: true,
} as const

/** The client that a connection is opened for. */
interface LoginClient {
  /** For servers that get it in a PROXY header. */
  readonly address: string
  /** Aborts the dial or the login: nothing is sent to the server after that. With `client-gone` as the reason, a login that was sent is awaited. */
  readonly loginSignal: AbortSignal
}

export async function openConnection(
  server: Server,
  credentials: Credentials,
  client: LoginClient,
): Promise<OpenResult> {
  const signal = client.loginSignal
  if (server.isPaused)
    return { kind: 'unavailable', reason: 'paused', detail: 'an operator has paused this upstream' }
  if (!hasSharedSecret(server, credentials)) return refusedHere
  const dialed = await dialWithRetries(server, client)
  if (dialed.kind === 'abandoned') return dialed
  if (dialed.kind !== 'dialed') return { kind: 'unavailable', reason: dialed.reason, detail: dialed.detail }
  const timer = setTimeout(() => dialed.exchange.fail('timed-out'), server.config.loginTimeoutMs)
  // What was sent for a client that has gone is the server's to answer: the next session can use the connection.
  const onAbandoned = () =>
    signal.reason === 'client-gone' ? dialed.exchange.sendNoMore() : dialed.exchange.fail('closed-here')
  signal.addEventListener('abort', onAbandoned)
  if (signal.aborted) onAbandoned()
  let result: OpenResult | undefined
  try {
    result = await logIn(server, dialed, credentials)
    return signal.aborted && result.kind === 'unavailable' ? { kind: 'abandoned' } : result
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbandoned)
    if (result?.kind !== 'opened') dialed.exchange.fail('closed-here')
  }
}

async function dialWithRetries(
  server: Server,
  client: LoginClient,
): Promise<Dialed | DialFailure | DialAbandoned> {
  const signal = client.loginSignal
  const { config, breaker } = server
  let failure: DialFailure = {
    kind: 'dial-failed',
    reason: 'refused',
    detail: server.downReason ?? 'the circuit breaker is open',
  }
  for (let attempt = 1; attempt <= config.connectAttempts; attempt++) {
    if (!breaker.allows(Date.now(), config)) return failure
    const dialed = await dial(server, signal, server.proxyHeader(client))
    if (dialed.kind === 'abandoned') return dialed
    if (dialed.kind === 'dialed') {
      server.markUp()
      return dialed
    }
    failure = dialed
    server.markDown(dialed.detail)
    if (attempt < config.connectAttempts)
      await delay(delayAfter(attempt, config.connectDelayMs), undefined, { signal }).catch(() => {})
    if (signal.aborted) return { kind: 'abandoned' }
  }
  return failure
}

/** Doubles with each failed attempt, up to 30 seconds. */
const delayAfter = (attempt: number, firstMs: number): number =>
  Math.min(firstMs * 2 ** (attempt - 1), Math.max(firstMs, 30_000))

async function logIn(
  server: Server,
  { exchange, link, capabilities: offered }: Dialed,
  credentials: Credentials,
): Promise<OpenResult> {
  server.learnBeforeLogin(offered)
  const { preauthCommand } = server.config
  if (preauthCommand) {
    const reply = await exchange.command(preauthCommand)
    if (reply.kind === 'failed' || reply.status !== 'OK')
      return {
        kind: 'unavailable',
        reason: 'preauth-refused',
        detail: 'the server did not answer OK to preauthCommand',
      }
  }
  const secrets = [...secretsOf(credentials), Buffer.from(server.config.masterPassword ?? '')]
  const reply = await server.histograms.upstream_login_seconds.measure(
    authenticate(exchange, offered, credentials, masterOf(server)),
  )
  if (reply.kind === 'failed')
    return {
      kind: 'unavailable',
      reason: reply.reason,
      detail: oneLine(withoutSecrets(reply.detail ?? `login: ${reply.reason}`, secrets)),
    }
  if (reply.status !== 'OK') {
    const { status, text, challenge } = reply
    const logText = withoutSecrets(text, secrets)
    return { kind: 'login-refused', status, text, logText, ...(challenge !== undefined && { challenge }) }
  }
  if (!exchange.isQuiet)
    return { kind: 'unavailable', reason: 'not-imap', detail: 'the server sent data behind its login reply' }
  const capabilities = lastCapabilities([...reply.untagged, `* OK ${reply.text}`]) ?? []
  server.learnAfterLogin(capabilities)
  return {
    kind: 'opened',
    link,
    capabilities,
    text: withoutCapabilities(reply.text),
    // A line that announces a literal is omitted too: the exchange does not keep literals.
    untagged: reply.untagged
      .filter((line) => !/^\* (CAPABILITY|BYE)\b|\}$/i.test(line))
      .map(filterCapabilityLine),
  }
}

function masterOf({ config }: Server) {
  return config.masterUser !== undefined && config.masterPassword !== undefined
    ? { user: config.masterUser, password: config.masterPassword }
    : undefined
}

/**
 * If the edge logs all users in as a master user, clients prove themselves by a shared secret instead of a password. It
 * must match completely, and is compared in constant time.
 */
function hasSharedSecret({ config }: Server, { secret }: Credentials): boolean {
  if (config.sharedSecret === undefined) return true
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest()
  return timingSafeEqual(digest(Buffer.from(config.sharedSecret)), digest(secret))
}
