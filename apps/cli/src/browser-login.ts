/**
 * Signs a person in by a browser: on this machine, with a code that arrives on the loopback (RFC 8252, PKCE of RFC 7636), or on another
 * one, with a code that the person types (RFC 8628).
 */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { safe, type LoginOutcome } from '@imapfleet/api'
import type { ApiClient } from '@imapfleet/client'
import { Failure } from './failure.ts'

export type SignedIn = Extract<LoginOutcome, { state: 'done' }>

interface Terminal {
  note: (text: string) => void
  /** Shows an address in a browser, if there is one. */
  show: (url: URL) => void
}

const patienceMs = 600_000
const newSecret = () => randomBytes(32).toString('base64url')
const tooLate = () =>
  new Failure('refused', 'the sign-in was not finished within ten minutes: run `imapfleet login` again')

export async function loginByBrowser(client: ApiClient, { note, show }: Terminal): Promise<SignedIn> {
  const verifier = newSecret()
  const state = newSecret()
  const listener = await listenForCode(state)
  const page = new URL('cli-login', client.server)
  page.search = new URLSearchParams({
    port: String(listener.port),
    challenge: createHash('sha256').update(verifier).digest('base64url'),
    state,
  }).toString()
  note(`Sign in with your browser. If it does not open, visit:\n  ${safe(page.href)}`)
  show(page)
  try {
    const outcome = await client.call('redeemLogin', { body: { code: await listener.code, verifier } })
    if (outcome.state === 'done') return outcome
  } finally {
    await listener.close()
  }
  throw new Failure(
    'refused',
    `${client.server.origin} did not accept the code: run \`imapfleet login\` again`,
  )
}

export async function loginByDevice(client: ApiClient, { note }: Pick<Terminal, 'note'>): Promise<SignedIn> {
  const { deviceCode, userCode, url, expiresInSeconds, intervalSeconds } =
    await client.call('beginDeviceLogin')
  note(`Visit ${safe(url)} with any browser, sign in, and enter this code:\n  ${safe(userCode)}`)
  const deadline = performance.now() + expiresInSeconds * 1000
  while (performance.now() < deadline) {
    await pause(Math.max(1, intervalSeconds) * 1000)
    const outcome = await client.call('redeemLogin', { body: { deviceCode } })
    if (outcome.state === 'done') return outcome
  }
  throw tooLate()
}

interface CodeListener {
  port: number
  /** Rejects if it does not come in time. */
  code: Promise<string>
  close: () => Promise<void>
}

/** Listens on 127.0.0.1 for the request with the right state. Other requests are refused. */
export async function listenForCode(state: string, withinMs = patienceMs): Promise<CodeListener> {
  const { promise: code, resolve, reject } = Promise.withResolvers<string>()
  const server = createServer((request, response) => {
    const found = codeIn(request, state)
    say(response, found === undefined ? 400 : 200)
    if (found !== undefined) resolve(found)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const timer = setTimeout(() => reject(tooLate()), withinMs)
  // Not unhandled if the caller fails before it waits.
  code.catch(() => undefined)
  return {
    port: (server.address() as AddressInfo).port,
    code,
    async close() {
      clearTimeout(timer)
      const closed = once(server, 'close')
      server.close()
      // Answers close their connections. A browser may hold an unused one open.
      server.closeIdleConnections()
      setTimeout(() => server.closeAllConnections(), 500).unref()
      await closed
    },
  }
}

function codeIn({ method, url }: IncomingMessage, state: string): string | undefined {
  const asked = URL.parse(url ?? '', 'http://127.0.0.1')
  if (method !== 'GET' || asked?.pathname !== '/') return undefined
  if (asked.searchParams.get('state') !== state) return undefined
  const code = asked.searchParams.get('code') ?? ''
  return /^[\w-]{43}$/.test(code) ? code : undefined
}

function say(response: ServerResponse, status: 200 | 400): void {
  const text =
    status === 200
      ? 'You can close this page and return to the terminal.'
      : 'No login waits for this request.'
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'",
    'cache-control': 'no-store',
    connection: 'close',
  })
  response.end(`<!doctype html><html lang="en"><title>imapfleet</title><p>${text}</p></html>\n`)
}
