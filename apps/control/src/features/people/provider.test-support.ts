/** For tests: an OpenID Connect provider on loopback. A test can change its claims, its signatures and its answers. */
import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Log } from '@imapfleet/observe'
import { Provider, type ProviderOptions, type Proofs } from './provider.ts'

type Json = Record<string, unknown>

const newKeys = () => generateKeyPairSync('rsa', { modulusLength: 2048 })
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

export const signedJwt = (claims: Json, key: KeyObject, header: Json = {}): string => {
  const input = `${encoded({ alg: 'RS256', kid: 'one', ...header })}.${encoded(claims)}`
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
}

export const clientId = 'imapfleet'
export const clientSecret = 'a secret: 50% + /'
export const proofs: Proofs = { state: 'the-state', nonce: 'the-nonce', verifier: 'v'.repeat(43) }

export class LoopbackProvider {
  readonly #server = createServer((request, response) => void this.#answer(request, response))
  readonly keys = newKeys()
  readonly otherKeys = newKeys()
  issuer = ''
  /** Fields that are added to its configuration, or replace it. */
  metadata: Json = {}
  /** Claims that are added to the ID token, or replace them. Undefined ones are left out. */
  claims: Json = {}
  userinfo: Json = {}
  /** Makes the ID token. */
  idToken: (claims: Json) => string | undefined = (claims) => signedJwt(claims, this.keys.privateKey)
  /** Replaces the answer to a path. True: it has answered. */
  handler: (path: string, response: ServerResponse) => boolean = () => false
  /** The path, the Authorization header and the body of each request. */
  asked: { path: string; authorization: string | undefined; body: URLSearchParams }[] = []

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.issuer = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  stop(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  /** Correct answers again. */
  reset(): void {
    this.metadata = {}
    this.claims = {}
    this.userinfo = {}
    this.idToken = (claims) => signedJwt(claims, this.keys.privateKey)
    this.handler = () => false
    this.asked = []
  }

  options(more: Partial<ProviderOptions> = {}): ProviderOptions {
    return {
      publicUrl: 'https://control.example',
      issuer: this.issuer,
      clientId,
      clientSecret,
      scopes: ['openid', 'email'],
      nameClaim: 'email',
      groupsClaim: 'groups',
      label: 'the provider',
      grants: [],
      ...more,
    }
  }

  /** A new client of control. `lines` gets its log. */
  relyingParty(
    more: Partial<ProviderOptions> = {},
    lines: string[] = [],
    patienceSeconds?: number,
  ): Provider {
    const log = new Log({ level: 'debug', format: 'text' }, (line) => lines.push(line))
    return new Provider(this.options(more), log, Date.now, patienceSeconds)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const part of request) body += String(part)
    const path = request.url ?? ''
    const { authorization } = request.headers
    this.asked.push({ path, authorization, body: new URLSearchParams(body) })
    if (this.handler(path, response)) return
    const answer = this.#answers()[path]
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer ?? {}))
  }

  #answers(): Record<string, Json | undefined> {
    const { issuer } = this
    const seconds = Math.floor(Date.now() / 1000)
    const claims = {
      ...{
        iss: issuer,
        sub: 'subject-1',
        aud: clientId,
        nonce: proofs.nonce,
        iat: seconds,
        exp: seconds + 300,
      },
      ...{ email: 'ann@example.org', email_verified: true, groups: ['staff'] },
      ...this.claims,
    }
    return {
      '/.well-known/openid-configuration': {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        userinfo_endpoint: `${issuer}/userinfo`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
        ...this.metadata,
      },
      '/jwks': {
        keys: [{ ...this.keys.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' }],
      },
      '/token': {
        access_token: 'an-access-token',
        refresh_token: 'a-refresh-token',
        token_type: 'Bearer',
        id_token: this.idToken(claims),
      },
      '/userinfo': { sub: 'subject-1', ...this.userinfo },
    }
  }
}

/** Signed with the shared secret, or unsigned. */
export const weakJwt = (claims: Json, alg: 'HS256' | 'none', secret: string): string => {
  const input = `${encoded({ alg })}.${encoded(claims)}`
  return `${input}.${alg === 'none' ? '' : createHmac('sha256', secret).update(input).digest('base64url')}`
}
