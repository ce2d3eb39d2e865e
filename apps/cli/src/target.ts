/**
 * Selects the server and the token: flags, then environment, then a saved profile, then the quickstart of this
 * directory. A saved token is sent only to the server that it was saved with.
 */
import { Failure, usage } from './failure.ts'

export interface ControlAddress {
  server: URL
  token: string
}

/** As given by the operator, not checked yet. */
export interface TargetChoice {
  server?: string | undefined
  token?: string | undefined
}

/** A server and its token from a file. */
export interface Stored {
  server: string
  token: string
}

/** `preferred` is the server if no other is named. Each `known` server has its own token. */
export function chooseTarget(
  flags: TargetChoice,
  environment: TargetChoice,
  preferred: Stored | undefined,
  known: readonly Stored[],
): ControlAddress {
  const server = flags.server ?? environment.server ?? preferred?.server
  if (server === undefined)
    throw usage('no server is configured: run `imapfleet login URL`, or use --server and --token')
  const url = parseServer(server)
  const kept = [...(preferred ? [preferred] : []), ...known].find(
    (entry) => URL.canParse(entry.server) && sameServer(new URL(entry.server), url),
  )
  const token = flags.token ?? environment.token ?? kept?.token
  if (token === undefined)
    throw usage(
      `there is no token for ${url.href}: run \`imapfleet login ${url.href}\`, or use --token or IMAPFLEET_TOKEN`,
    )
  return { server: url, token: parseToken(token) }
}

export function parseServer(text: string): URL {
  const example = 'use an address such as http://127.0.0.1:8080'
  if (!/^https?:\/\//i.test(text)) throw usage(`the server ${JSON.stringify(text)} is not a URL: ${example}`)
  if (!URL.canParse(text)) throw usage(`the server ${JSON.stringify(text)} is not a URL: ${example}`)
  const url = new URL(text)
  if (url.username || url.password || url.search || url.hash)
    throw usage(`a server consists of scheme, host, port and path only: ${example}`)
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

/** Characters that are allowed in an Authorization header (RFC 6750, 2.1). */
export function parseToken(text: string): string {
  const token = text.trim()
  if (/^[A-Za-z0-9\-._~+/]+=*$/.test(token)) return token
  throw new Failure(
    'usage',
    token === ''
      ? 'the token is empty: make one with `imapfleet-control token create`'
      : 'the token contains invalid characters: check that it was copied completely',
  )
}

const sameServer = (one: URL, other: URL) =>
  one.origin === other.origin && one.pathname.replace(/\/$/, '') === other.pathname.replace(/\/$/, '')
