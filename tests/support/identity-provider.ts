/**
 * A real OpenID Connect provider (oidc-provider) on loopback. Its sign-in page is our own, because the page of the library
 * loads fonts from the network. Claims come from the userinfo endpoint.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'

export interface ProviderPerson {
  email: string
  emailVerified?: boolean
  groups: string[]
}

export const testClient = { id: 'imapfleet', secret: randomBytes(24).toString('base64url') }

export class IdentityProvider {
  readonly issuer: string
  /** By login. Other logins are refused. */
  readonly people = new Map<string, ProviderPerson>()
  readonly #server: Server
  #answer: RequestListener = (_, response) => response.writeHead(503).end()

  private constructor(server: Server) {
    this.#server = server
    // Another site than 127.0.0.1, so that SameSite applies to the cookies of control.
    this.issuer = `http://localhost:${(server.address() as AddressInfo).port}`
    server.on('request', (request, response) => this.#answer(request, response))
  }

  /** It answers 503 until it knows its client. */
  static async start(): Promise<IdentityProvider> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new IdentityProvider(server)
  }

  /** `redirectUri`: of control, the only one that the provider accepts. */
  register(redirectUri: string): void {
    this.#answer = this.#handler(redirectUri)
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  #handler(redirectUri: string): RequestListener {
    const provider = new Provider(this.issuer, {
      clients: [{ client_id: testClient.id, client_secret: testClient.secret, redirect_uris: [redirectUri] }],
      jwks: {
        keys: [
          {
            ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }),
            use: 'sig',
          },
        ],
      },
      cookies: { keys: [randomBytes(24).toString('hex')] },
      claims: { openid: ['sub'], email: ['email', 'email_verified'], groups: ['groups'] },
      scopes: ['openid', 'email', 'groups'],
      pkce: { required: () => true },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
      findAccount: (_: unknown, login: string) => {
        const person = this.people.get(login)
        return (
          person && {
            accountId: login,
            claims: () => ({
              sub: login,
              email: person.email,
              email_verified: person.emailVerified ?? true,
              groups: person.groups,
            }),
          }
        )
      },
      // Without a page of consent.
      loadExistingGrant: async ({ oidc }: GrantContext) => {
        const grant = new oidc.provider.Grant({
          clientId: oidc.client.clientId,
          accountId: oidc.session.accountId,
        })
        grant.addOIDCScope('openid email groups')
        await grant.save()
        return grant
      },
    })
    const answer = provider.callback()
    return (request, response) => {
      if (!request.url?.startsWith('/interaction/')) return answer(request, response)
      void this.#signIn(provider, request, response)
    }
  }

  async #signIn(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (request.method !== 'POST') return void response.setHeader('content-type', 'text/html').end(page)
      let body = ''
      for await (const part of request) body += String(part)
      const accountId = new URLSearchParams(body).get('login') ?? ''
      const result = this.people.has(accountId)
        ? { login: { accountId } }
        : { error: 'access_denied', error_description: 'unknown person' }
      await provider.interactionFinished(request, response, result)
    } catch {
      response.writeHead(400).end()
    }
  }
}

interface GrantContext {
  oidc: {
    client: { clientId: string }
    session: { accountId: string }
    provider: {
      Grant: new (of: object) => { addOIDCScope: (scope: string) => void; save: () => Promise<unknown> }
    }
  }
}

const page = `<!doctype html><title>Provider</title>
<form method="post"><label>Login <input name="login"></label> <button>Continue</button></form>`
