/**
 * Opens a logged-in connection: dials with retries, logs in, and reads the server's answer to the login. All failures are
 * values: the server refused the login, or it is unavailable.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { oneLine, type ClosedValue } from '@imapfleet/observe'
import { Backoff } from '@imapfleet/retry'
import { filterCapabilityLine, lastCapabilities, offers, withoutCapabilities } from '../imap/capability.ts'
import { secretsOf, withoutSecrets, type Credentials } from '../imap/credentials.ts'
import { startDeadline } from '../net/deadline.ts'
import type { Link } from '../net/link.ts'
import { delay, runtime } from '../runtime.ts'
import { authenticate } from './authenticate.ts'
import { breakerOpen, dial } from './dial.ts'
import type { DialAbandoned, Dialed, DialFailure } from './dial-address.ts'
import type { ExchangeFailure, Reply } from './exchange.ts'
import type { Address } from './resolver.ts'
import type { ClientIdentity, Server } from './server.ts'
import {
  isNotJudged,
  shortageInDial,
  shortageInFailure,
  shortageInRefusal,
  countsAsFailure,
  type Shortage,
  type DialPlace,
} from './shortage.ts'

export type OpenResult =
  | {
      kind: 'opened'
      link: Link
      /** The list after login; empty if the server has not sent one. */
      capabilities: readonly string[]
      /** The text of the server's OK, without a capability list. */
      text: string
      /** Untagged lines before the OK, for this client. */
      untagged: readonly string[]
      ids: SentIds
    }
  /** The server's answer to these credentials. */
  | {
      kind: 'login-refused'
      status: 'NO' | 'BAD'
      text: string
      /** The text for the log, without the secret that a server may repeat. */
      logText: string
      challenge?: string
      /** The edge refused the credentials without asking the server. */
      byEdge?: true
      /** Untagged lines before the reply, and after it in the same segment. They are for this client. */
      untagged: readonly string[]
      ids: SentIds
    }
  /** The server gave no answer about these credentials. */
  | {
      kind: 'unavailable'
      reason: ClosedValue<'upstream_failures_total', 'reason'>
      detail: string
      /** Untagged lines for this client. */
      untagged: readonly string[]
      /** The BYE with which the server ended the connection, without the word itself. */
      bye?: string
      /** Set if the server or this machine allows no further connection. */
      shortage?: Shortage | undefined
    }
  /** The signal was aborted before the server had answered the login. */
  | DialAbandoned

/** The client's ID commands on a new connection. */
export interface SentIds {
  /** False: none was sent, because the server does not list ID before login. */
  sent: boolean
  /** The answers to those that the server refused. */
  refused: readonly string[]
}

const wrongSharedSecret = '[AUTHENTICATIONFAILED] Authentication failed.'
const refusedHere: OpenResult = {
  kind: 'login-refused',
  status: 'NO',
  text: wrongSharedSecret,
  logText: wrongSharedSecret,
  byEdge: true,
  untagged: [],
  ids: { sent: false, refused: [] },
}

/** The client that a connection is opened for. Its address and its ID commands are for the server. */
interface LoginClient extends ClientIdentity {
  /** Aborts the dial or the login. No more data is sent. With the reason `client-gone`, the reply to a sent login is awaited. */
  readonly loginSignal: AbortSignal
}

/** @param place frees capacity when no further connection is allowed. The attempt is then repeated */
export async function openConnection(
  server: Server,
  credentials: Credentials,
  client: LoginClient,
  place: DialPlace = withoutPool(client),
): Promise<OpenResult> {
  if (server.isPaused) return unavailable('paused', 'an operator has paused this upstream')
  if (!hasSharedSecret(server, credentials)) return refusedHere
  for (;;) {
    const result = await dialAndLogIn(server, credentials, client, place)
    if (result.kind === 'opened' || result.kind === 'abandoned') return result
    const shortage = result.kind === 'login-refused' ? shortageInRefusal(result.text) : result.shortage
    if (shortage === undefined || (await place.free(shortage)) !== 'freed') return result
  }
}

const withoutPool = ({ loginSignal }: LoginClient): DialPlace => ({
  hasRoom: true,
  free: async () => 'none',
  wait: async (begin) => await begin(loginSignal),
  get isOver() {
    return loginSignal.aborted
  },
})

/**
 * A login keeps its turn at the gate until it is answered, so that a server with slow logins does not get more of them. The time
 * is limited, because servers delay the answer to a wrong password on purpose.
 */
const judgedMs = 1_000

async function dialAndLogIn(
  server: Server,
  credentials: Credentials,
  client: LoginClient,
  place: DialPlace,
): Promise<OpenResult> {
  const ahead = server.connectAhead.take(place)
  if (ahead !== undefined) {
    const unreadMs = 2 * (server.knowledge?.roundTripMs ?? 0) + slackMs
    const result = await logInOn(ahead, server, credentials, client, place, unreadMs)
    if (result !== undefined) return result
  }
  const dialed = await dialWithRetries(server, client, place)
  if (dialed.kind === 'abandoned') return dialed
  if (dialed.kind !== 'dialed') return unavailable(dialed.reason, dialed.detail, dialed.said)
  return (await logInOn(dialed, server, credentials, client, place))!
}

/** How late the end of a connection can be noticed. */
const slackMs = 200

/**
 * @param unreadMs if the connection ends within this time, the server may have closed it before the login, which it then has not read.
 *   The result is then undefined, and says nothing about the server. Later, the end is an answer: a login that was read is not repeated
 */
async function logInOn(
  dialed: Dialed,
  server: Server,
  credentials: Credentials,
  client: LoginClient,
  place: DialPlace,
  unreadMs = 0,
): Promise<OpenResult | undefined> {
  const signal = client.loginSignal
  const cancelDeadline = startDeadline(server.config.loginTimeoutMs, () => dialed.exchange.fail('timed-out'))
  // A login that was sent continues after the client disconnects, because the next session can use the connection.
  const onAbandoned = () =>
    signal.reason === 'client-gone' ? dialed.exchange.sendNoMore() : dialed.exchange.fail('closed-here')
  signal.addEventListener('abort', onAbandoned)
  if (signal.aborted) onAbandoned()
  let result: OpenResult | undefined
  const beganAt = runtime.now()
  const turn = runtime.after(judgedMs, () => dialed.leaveTurn?.())
  try {
    result = await logIn(server, dialed, credentials, client)
    if (result.kind === 'unavailable' && signal.aborted) return { kind: 'abandoned' }
    const tookMs = runtime.now() - beganAt
    if (result.kind === 'unavailable' && tookMs < unreadMs) return undefined
    noteLogin(server, dialed.address, result, tookMs)
    if (result.kind === 'opened') server.connectAhead.prepare(place)
    return result
  } finally {
    cancelDeadline()
    runtime.cancel(turn)
    dialed.leaveTurn?.()
    signal.removeEventListener('abort', onAbandoned)
    if (result?.kind !== 'opened') dialed.exchange.fail('closed-here')
  }
}

/** Notes the result of a login for the address. A limit that was reached says nothing about the address. */
function noteLogin(server: Server, address: Address, result: OpenResult, ms: number): void {
  if (result.kind === 'opened') server.addressAnsweredLogin(address, ms)
  else if (result.kind === 'login-refused' && !isNotJudged(result.text))
    server.addressAnsweredLogin(address, undefined)
  else if (result.kind === 'login-refused') server.addressFailedLogin(address, result.logText)
  else if (result.kind === 'unavailable' && countsAsFailure(result.shortage))
    server.addressFailedLogin(address, result.detail)
}

async function dialWithRetries(
  server: Server,
  client: LoginClient,
  place: DialPlace,
): Promise<Dialed | DialFailure | DialAbandoned> {
  const { config, breaker } = server
  const backoff = new Backoff({
    firstMs: config.connectDelayMs,
    lastMs: Math.max(config.connectDelayMs, 30_000),
    random: () => runtime.jitter(),
  })
  let failure: DialFailure | undefined
  for (let attempts = 1; ;) {
    const dialed = await attemptDial(server, client, place)
    if (dialed.kind !== 'dial-failed') return dialed
    const wasMade = dialed.reason !== 'breaker-open'
    if (wasMade) failure = dialed
    if (breaker.isAwaited(runtime.now()))
      await place.wait((signal) => breaker.awaitNews(runtime.now(), signal))
    else if (wasMade && attempts++ < config.connectAttempts)
      await place.wait((signal) => delay(backoff.nextMs(), signal))
    else return failure ?? dialed
    if (place.isOver) return { kind: 'abandoned' }
  }
}

/** Makes one attempt if the circuit breaker allows it, and updates the breaker. Repeats the attempt while capacity is freed. */
async function attemptDial(
  server: Server,
  client: LoginClient,
  place: DialPlace,
): Promise<Dialed | DialFailure | DialAbandoned> {
  const { breaker } = server
  let isTrial = false
  const isAllowed = () => {
    if (isTrial || !breaker.isOpen) return true
    return (isTrial = breaker.allows(runtime.now()))
  }
  try {
    for (;;) {
      if (!isAllowed()) return breakerOpen(server)
      const dialed = await dial(server, client.loginSignal, server.proxyHeader(client), { place, isAllowed })
      if (dialed.kind === 'dialed') server.markUp()
      if (dialed.kind !== 'dial-failed' || dialed.reason === 'breaker-open') return dialed
      const shortage = shortageInDial(dialed)
      const verdict = shortage === undefined ? 'none' : await place.free(shortage)
      if (verdict === 'freed') continue
      if (verdict === 'not-needed') return { kind: 'abandoned' }
      if (countsAsFailure(shortage)) server.markDown(dialed.detail)
      return dialed
    }
  } finally {
    if (isTrial) breaker.endTrial()
  }
}

async function logIn(
  server: Server,
  { exchange, capabilities: offered, link, said }: Dialed,
  credentials: Credentials,
  client: ClientIdentity,
): Promise<OpenResult> {
  server.learnBeforeLogin(offered)
  const { preauthCommand, masterPassword } = server.config
  if (preauthCommand) {
    const reply = await exchange.command(preauthCommand)
    if (reply.kind === 'failed' || reply.status !== 'OK')
      return unavailable('preauth-refused', 'the server did not answer OK to preauthCommand')
  }
  // Sent before the login, because servers such as Dovecot use the client's address in it for the login, but in one segment.
  const ids = offers(offered, 'ID') ? server.idCommands(client) : undefined
  const idReplies = ids?.map((id) => exchange.commandAhead(id)) ?? []
  const reply = await server.histograms.upstream_login_seconds.measure(
    authenticate(exchange, offered, credentials, masterOf(server)),
  )
  const master = masterPassword === undefined ? [] : [Buffer.from(masterPassword)]
  const secrets = [...secretsOf(credentials), ...master]
  // The client may see its own secret, but not that of the master user.
  const forClient = (text: string): string => withoutSecrets(text, master)
  if (reply.kind === 'failed') {
    const { reason, detail } = reply
    const logDetail = oneLine(withoutSecrets(detail ?? `login: ${reason}`, secrets))
    const lines = [...said, ...(reply.said ?? [])].map(forClient)
    return { ...unavailable(reason, logDetail, lines), shortage: shortageInFailure(reason, logDetail) }
  }
  const sentIds: SentIds = { sent: ids !== undefined, refused: await refusedIds(server, idReplies) }
  const { status } = reply
  const text = forClient(reply.text)
  // Data after an OK is for the session. After a refusal there is no session.
  const behind = status === 'OK' ? [] : exchange.said
  const untagged = [...said, ...reply.untagged, ...behind]
    .filter(isForClient)
    .map(forClient)
    .map(filterCapabilityLine)
  if (status !== 'OK') {
    const { challenge } = reply
    const logText = withoutSecrets(reply.text, secrets)
    return {
      kind: 'login-refused',
      status,
      text,
      logText,
      untagged,
      ids: sentIds,
      ...(challenge !== undefined && { challenge }),
    }
  }
  const failure = exchange.release()
  if (failure)
    return unavailable(failure.reason, failure.detail ?? 'the server ended the connection', failure.said)
  const capabilities = lastCapabilities([...reply.untagged, `* OK ${reply.text}`]) ?? []
  server.learnAfterLogin(capabilities)
  return {
    kind: 'opened',
    link,
    capabilities,
    text: withoutCapabilities(text),
    untagged: untagged.filter((line) => !/^\* BYE\b/i.test(line)),
    ids: sentIds,
  }
}

async function refusedIds(
  server: Server,
  replies: readonly Promise<Reply | ExchangeFailure>[],
): Promise<string[]> {
  const refused: string[] = []
  for (const reply of await Promise.all(replies)) {
    if (reply.kind === 'failed') continue
    if (reply.status === 'OK') server.identification.learnBeforeLogin(reply.untagged)
    else refused.push(`${reply.status} ${reply.text}`)
  }
  return refused
}

/** Whether the client gets the line. The edge sends its own capability list. Lines with literals are omitted, like their literals. */
const isForClient = (line: string): boolean =>
  !/^\* CAPABILITY\b/i.test(line) && (/^\* (?:OK|NO|BAD|BYE)\b/i.test(line) || !/\{\d+\+?\}$/.test(line))

/** @param said the untagged lines of the server, a BYE included */
function unavailable(
  reason: ClosedValue<'upstream_failures_total', 'reason'>,
  detail: string,
  said: readonly string[] = [],
): Extract<OpenResult, { kind: 'unavailable' }> {
  const bye = said.find((line) => /^\* BYE\b/i.test(line))
  const untagged = said.filter((line) => line !== bye && isForClient(line)).map(filterCapabilityLine)
  return {
    kind: 'unavailable',
    reason,
    detail,
    untagged,
    ...(bye !== undefined && { bye: bye.slice('* BYE '.length) }),
  }
}

function masterOf({ config }: Server) {
  return config.masterUser !== undefined && config.masterPassword !== undefined
    ? { user: config.masterUser, password: config.masterPassword }
    : undefined
}

/**
 * If the edge logs in all users as a master user, clients authenticate by a shared secret instead of a password. It must be
 * equal, and is compared in constant time.
 */
function hasSharedSecret({ config }: Server, { secret }: Credentials): boolean {
  if (config.sharedSecret === undefined) return true
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest()
  return timingSafeEqual(digest(Buffer.from(config.sharedSecret)), digest(secret))
}
