/** A new logged-in connection: dialed with retries, authenticated, or the reason why not. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { oneLine } from '@imapfleet/observe'
import type { Credentials } from '../imap/credentials.ts'
import type { Link } from '../net/link.ts'
import { authenticate } from './authenticate.ts'
import { capabilitiesIn, dial, type Dialed, type DialFailure } from './dial.ts'
import type { Reply } from './exchange.ts'
import type { Server } from './server.ts'
import { parseCapabilities } from '../imap/capability.ts'

export type Opened =
  | {
      kind: 'opened'
      link: Link
      /** After login; empty if the server has not said. */
      capabilities: string[]
      /** The server's words in its OK, code removed. */
      text: string
      /** What it said before its OK, for this client. */
      untagged: string[]
    }
  /** The server's own answer to these credentials. */
  | { kind: 'login-refused'; status: 'NO' | 'BAD'; text: string; challenge?: string }
  /** No answer about these credentials was had. */
  | { kind: 'unavailable'; reason: string; detail: string }

/** @param client whoever logs in, for servers that are told by PROXY protocol */
export async function open(
  server: Server,
  credentials: Credentials,
  client: { readonly address: string },
): Promise<Opened> {
  if (server.isPaused)
    return { kind: 'unavailable', reason: 'paused', detail: 'an operator has paused this upstream' }
  if (!knowsSecret(server, credentials))
    return { kind: 'login-refused', status: 'NO', text: '[AUTHENTICATIONFAILED] Authentication failed.' }
  const dialed = await dialWithRetries(server, client)
  if (dialed.kind !== 'dialed') return { kind: 'unavailable', reason: dialed.reason, detail: dialed.detail }
  const timer = setTimeout(() => dialed.exchange.break('timed-out'), server.config.loginTimeoutMs)
  let opened: Opened | undefined
  try {
    return (opened = await logIn(server, dialed, credentials))
  } finally {
    clearTimeout(timer)
    if (opened?.kind !== 'opened') dialed.exchange.break('closed-here')
  }
}

async function logIn(
  server: Server,
  { exchange, link, capabilities: offered }: Dialed,
  credentials: Credentials,
): Promise<Opened> {
  server.greeted(offered)
  const { preauthCommand } = server.config
  if (preauthCommand) {
    const reply = await exchange.command(preauthCommand)
    if (reply.kind === 'broken' || reply.status !== 'OK')
      return {
        kind: 'unavailable',
        reason: 'preauth-refused',
        detail: 'preauthCommand was not answered OK',
      }
  }
  const reply = await server.histograms.upstream_login_seconds.measure(
    authenticate(exchange, offered, credentials, masterOf(server)),
  )
  if (reply.kind === 'broken')
    return {
      kind: 'unavailable',
      reason: reply.reason,
      detail: oneLine(reply.detail ?? `login: ${reply.reason}`),
    }
  if (reply.status !== 'OK') {
    const { status, text, challenge } = reply
    return { kind: 'login-refused', status, text, ...(challenge !== undefined && { challenge }) }
  }
  if (!exchange.isQuiet)
    return { kind: 'unavailable', reason: 'not-imap', detail: 'data behind the login reply' }
  const capabilities = capabilitiesAfter(reply)
  server.learn(capabilities)
  return {
    kind: 'opened',
    link,
    capabilities,
    text: reply.text.replace(/^\[CAPABILITY [^\]]*\] ?/i, ''),
    // A line that announces a literal has lost it on the way here.
    untagged: reply.untagged.filter((line) => !/^\* (CAPABILITY|BYE)\b|\}$/i.test(line)),
  }
}

async function dialWithRetries(
  server: Server,
  client: { readonly address: string },
): Promise<Dialed | DialFailure> {
  const { config, breaker } = server
  let failure: DialFailure = {
    kind: 'dial-failed',
    reason: 'refused',
    detail: server.trouble ?? 'the circuit breaker is open',
  }
  for (let attempt = 1; attempt <= config.connectAttempts; attempt++) {
    if (!breaker.allows(Date.now(), config)) return failure
    const dialed = await dial(server, server.proxyHeader(client))
    if (dialed.kind === 'dialed') {
      server.succeeded()
      return dialed
    }
    failure = dialed
    server.failed(dialed.detail)
    if (attempt < config.connectAttempts) await pause(pauseAfter(attempt, config.connectDelayMs))
  }
  return failure
}

/** Doubled with each failed attempt, up to half a minute. */
const pauseAfter = (attempt: number, firstMs: number): number =>
  Math.min(firstMs * 2 ** (attempt - 1), Math.max(firstMs, 30_000))

function capabilitiesAfter(reply: Reply): string[] {
  const line = reply.untagged.findLast((text) => /^\* CAPABILITY /i.test(text))
  return capabilitiesIn(reply.text) ?? (line === undefined ? [] : parseCapabilities(line.slice(2)))
}

function masterOf({ config }: Server) {
  return config.masterUser !== undefined && config.masterPassword !== undefined
    ? { user: config.masterUser, password: config.masterPassword }
    : undefined
}

/**
 * Where everybody is logged in by a master user, clients prove themselves by a shared secret instead of a password: all
 * of it, compared in constant time.
 */
function knowsSecret({ config }: Server, { secret }: Credentials): boolean {
  if (config.sharedSecret === undefined) return true
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest()
  return timingSafeEqual(digest(Buffer.from(config.sharedSecret)), digest(secret))
}
