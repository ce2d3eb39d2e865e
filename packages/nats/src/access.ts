/**
 * The NATS servers and how a process logs in to them: token or credentials, TLS. Files are read once, when the process
 * starts: wrong paths are reported then, and the process may later drop the privileges to read them.
 */
import { readFileSync } from 'node:fs'
import {
  connect,
  credsAuthenticator,
  tokenAuthenticator,
  type Authenticator,
  type NatsConnection,
  type NodeConnectionOptions,
} from '@nats-io/transport-node'
import { clientTls, hostOf, isCertificate, pairProblem, type ClientTls } from './tls.ts'

const fileKeys = ['tokenFile', 'credentialsFile', 'tlsCaFile', 'tlsCertFile', 'tlsKeyFile'] as const

/** Configured paths. Credentials take precedence over a token. */
export type NatsFiles = { [key in (typeof fileKeys)[number]]?: string | undefined }

export interface NatsAccess {
  servers: readonly string[]
  authenticator?: Authenticator
  /** When the credentials expire. Absent: they do not, or there are none. */
  expiresAt?: Date
  /** Set: a server without TLS is refused. Unset: TLS is used if the server requires it. */
  tls?: ClientTls
}

/** `settingOf` names the setting of a file, such as NATS_TOKEN_FILE. The reason quotes it. */
export function readAccess(
  servers: readonly string[],
  files: NatsFiles,
  settingOf: (key: keyof NatsFiles) => string,
): { ok: true; access: NatsAccess } | { ok: false; reason: string } {
  const texts: { [key in keyof NatsFiles]: string } = {}
  for (const key of fileKeys) {
    const file = files[key]
    if (file === undefined) continue
    try {
      texts[key] = readFileSync(file, 'utf8').trim()
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      return { ok: false, reason: `${settingOf(key)}: cannot read ${file}: ${code}` }
    }
  }
  const { tokenFile: token, credentialsFile: credentials } = texts
  const { tlsCaFile: ca, tlsCertFile: cert, tlsKeyFile: key } = texts
  if (credentials !== undefined && !credentialsFormat.test(credentials)) {
    const reason = `${settingOf('credentialsFile')}: ${files.credentialsFile} is not a NATS credentials file`
    return { ok: false, reason }
  }
  if ((cert === undefined) !== (key === undefined)) {
    const reason = `${settingOf('tlsCertFile')} and ${settingOf('tlsKeyFile')} must be set together`
    return { ok: false, reason }
  }
  if (token === '') return { ok: false, reason: `${settingOf('tokenFile')}: ${files.tokenFile} is empty` }
  if (ca !== undefined && !isCertificate(ca)) {
    const reason = `${settingOf('tlsCaFile')}: ${files.tlsCaFile} is not a PEM file with a certificate`
    return { ok: false, reason }
  }
  const unusable = cert === undefined || key === undefined ? undefined : pairProblem(cert, key)
  if (unusable !== undefined) {
    const reason = `${settingOf('tlsCertFile')}: cannot use ${files.tlsCertFile} with ${files.tlsKeyFile}: ${unusable}`
    return { ok: false, reason }
  }
  const expiresAt = credentials === undefined ? undefined : expiryIn(credentials)
  const wantsTls =
    servers.some((server) => server.startsWith('tls://')) || ca !== undefined || cert !== undefined
  const access: NatsAccess = {
    servers,
    ...(token !== undefined && { authenticator: tokenAuthenticator(token) }),
    ...(credentials !== undefined && { authenticator: credentialsAuthenticator(credentials) }),
    ...(expiresAt && { expiresAt }),
    ...(wantsTls && { tls: clientTls(servers.map(hostOf), { ca, cert, key }) }),
  }
  return { ok: true, access }
}

const credentialsFormat = /BEGIN NATS USER JWT[^]*BEGIN USER NKEY SEED/

/** The claim `exp` of the JWT in a credentials file. The server checks the JWT; here it is only shown to operators. */
function expiryIn(credentials: string): Date | undefined {
  const [, claims = ''] = /USER JWT-+\s+[\w-]+\.([\w-]+)\./.exec(credentials) ?? []
  try {
    const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as { exp?: unknown }
    return typeof exp === 'number' && exp > 0 ? new Date(exp * 1000) : undefined
  } catch {
    return undefined
  }
}

/** `text`: the content of a credentials file. nats.js needs a newline after its last line. */
export const credentialsAuthenticator = (text: string): Authenticator =>
  credsAuthenticator(new TextEncoder().encode(`${text}\n`))

/** Timeout of one connection attempt. A stop may have to wait for it. */
const attemptMs = 5_000

/** For a connection that reconnects until it is closed. `name` is shown by NATS's monitoring. */
export function connectOptions(
  { servers, authenticator, tls }: NatsAccess,
  name: string,
): NodeConnectionOptions {
  return {
    servers: [...servers],
    name,
    timeout: attemptMs,
    maxReconnectAttempts: -1,
    // A refused login may be accepted later: the accounts of a running server can change.
    ignoreAuthErrorAbort: true,
    pingInterval: 10_000,
    // The stack of each request costs more than the request.
    noAsyncTraces: true,
    ...(authenticator && { authenticator }),
    ...(tls && { tls }),
  }
}

/** Makes one attempt, and does not reconnect. The caller closes the connection. `inboxPrefix`: of subjects for replies. */
export const connectOnce = (
  access: NatsAccess,
  name: string,
  inboxPrefix?: string,
): Promise<NatsConnection> =>
  connect({
    ...connectOptions(access, name),
    reconnect: false,
    ...(inboxPrefix !== undefined && { inboxPrefix }),
  })
