/**
 * The client of the OpenID Connect provider: the redirect of the browser, and the exchange of the code for verified claims.
 * Tokens of the provider are not stored and do not leave this file.
 */
import { reasonOf, type Log } from '@imapfleet/observe'
import * as oidc from 'openid-client'
import { ServiceError } from '../../platform/errors.ts'
import { KeptValue } from '../../platform/kept-value.ts'
import { Outage } from '../../platform/outage.ts'
import type { Grant } from './grants.ts'
import type { PersonClaims } from './identity.ts'

export interface ProviderOptions {
  /** The origin at which browsers reach control. */
  publicUrl: string
  issuer: string
  clientId: string
  clientSecret: string
  scopes: readonly string[]
  nameClaim: string
  groupsClaim: string
  /** Its name on the button. */
  label: string
  grants: readonly Grant[]
}

/** Values that bind the answer of the provider to the browser that started the sign-in. */
export interface Proofs {
  state: string
  nonce: string
  /** Of PKCE (RFC 7636). */
  verifier: string
}

/** For each request. A sign-in makes at most four, and control answers within 25 s. */
const usualPatienceSeconds = 5
const answerBytesMax = 1_048_576
/** How long the configuration of the provider is used before it is read again. */
const keptMs = 600_000
/** Clocks may differ by this. */
const clockToleranceSeconds = 30
/** Codes that are exchanged at the same time. */
const exchangesMax = 20

export const callbackPath = '/sign-in/callback'

export class Provider {
  readonly options: ProviderOptions
  readonly #log: Log
  readonly #now: () => number
  readonly #outage: Outage
  readonly #configuration: KeptValue<oidc.Configuration>
  #exchanges = 0

  /** `now`: milliseconds since 1970. */
  constructor(options: ProviderOptions, log: Log, now: () => number, patienceSeconds = usualPatienceSeconds) {
    this.options = options
    this.#log = log
    this.#now = now
    this.#outage = new Outage(
      log,
      'the provider of sign-ins does not answer',
      'the provider of sign-ins answers again',
    )
    this.#configuration = new KeptValue(async () => await discover(options, patienceSeconds), keptMs)
  }

  get callbackUrl(): string {
    return this.options.publicUrl + callbackPath
  }

  /** The address for the redirect of the browser. */
  async signInUrl({ state, nonce, verifier }: Proofs): Promise<URL> {
    const configuration = await this.#discovered()
    return oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: this.callbackUrl,
      scope: this.options.scopes.join(' '),
      state,
      nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
  }

  /** The verified claims about the person. `query`: the query of the callback. */
  async claimsOf(query: string, proofs: Proofs): Promise<PersonClaims> {
    const configuration = await this.#discovered()
    if (this.#exchanges >= exchangesMax)
      throw new ServiceError('provider_unavailable', 'Too many people are signing in: try again in a moment.')
    this.#exchanges += 1
    try {
      const claims = await this.#exchange(configuration, new URL(`${this.callbackUrl}?${query}`), proofs)
      this.#outage.over()
      return claims
    } catch (error) {
      throw this.#refusalOf(error)
    } finally {
      this.#exchanges -= 1
    }
  }

  async #discovered(): Promise<oidc.Configuration> {
    try {
      return await this.#configuration.get()
    } catch (error) {
      this.#outage.began(error)
      throw unavailable()
    }
  }

  async #exchange(
    configuration: oidc.Configuration,
    url: URL,
    { state, nonce, verifier }: Proofs,
  ): Promise<PersonClaims> {
    const tokens = await oidc.authorizationCodeGrant(configuration, url, {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
    })
    const claims = tokens.claims()
    if (claims === undefined) throw new NotProven('there is no ID token')
    // The library checks `exp` and `nbf`, but not whether `iat` is in the past.
    if (claims.iat > this.#now() / 1000 + clockToleranceSeconds)
      throw new NotProven('the ID token is from the future')
    const { nameClaim, groupsClaim } = this.options
    const isComplete = [nameClaim, groupsClaim].every((claim) => Object.hasOwn(claims, claim))
    if (isComplete || configuration.serverMetadata().userinfo_endpoint === undefined) return claims
    const more = await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub)
    // `email` and `email_verified` must come from the same source.
    const { email_verified: isVerified, ...others } = more
    return { ...others, ...(!Object.hasOwn(claims, 'email') && { email_verified: isVerified }), ...claims }
  }

  #refusalOf(error: unknown): unknown {
    const away = awayIn(error)
    if (away) {
      this.#outage.began(away)
      return unavailable()
    }
    if (error instanceof oidc.AuthorizationResponseError)
      return new ServiceError('sign_in_refused', `The provider did not sign you in (${wordOf(error.error)}).`)
    const reason = reasonNotProven(error)
    if (reason === undefined) return error
    this.#log.warn('the answer of the provider could not be verified', { reason })
    return new ServiceError(
      'sign_in_failed',
      'The answer of the provider could not be verified: sign in again. The log of control has the reason.',
    )
  }
}

/** Reads the configuration of the provider. Throws if it belongs to another issuer. */
export async function discover(
  options: ProviderOptions,
  patienceSeconds = usualPatienceSeconds,
): Promise<oidc.Configuration> {
  const issuer = new URL(options.issuer)
  const configuration = await oidc
    .discovery(issuer, options.clientId, undefined, secretOf(options.clientSecret), {
      execute: [
        // By default the library does not check the signature of an ID token that came over TLS.
        oidc.enableNonRepudiationChecks,
        ...(issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : []),
      ],
      timeout: patienceSeconds,
      [oidc.customFetch]: fetchBounded,
    })
    .catch((error: unknown) => {
      throw (
        awayIn(error) ?? new Error(`${options.issuer} is not an OpenID Connect provider: ${reasonOf(error)}`)
      )
    })
  // The library accepts the multi-tenant issuers of Entra ID, whose users can be from any tenant.
  const found = configuration.serverMetadata().issuer
  if (URL.parse(found)?.href !== issuer.href)
    throw new Error(
      `the provider says that it is ${found.slice(0, 300)}: write the issuer of your own tenant`,
    )
  return configuration
}

/** Sends the secret in the Authorization header, which is the default of OpenID Connect, unless the provider supports only the body. */
function secretOf(secret: string): oidc.ClientAuth {
  const inHeader = oidc.ClientSecretBasic(secret)
  const inBody = oidc.ClientSecretPost(secret)
  return (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported
    const isHeader = methods === undefined || methods.includes('client_secret_basic')
    return (isHeader ? inHeader : inBody)(server, client, body, headers)
  }
}

/** The provider cannot be reached, or its answer cannot be read. */
class Away extends Error {
  override readonly name = 'Away'
}

class NotProven extends Error {
  override readonly name = 'NotProven'
}

function awayIn(error: unknown): Away | undefined {
  if (error instanceof Away) return error
  return error instanceof Error && error.cause !== undefined ? awayIn(error.cause) : undefined
}

const unavailable = () =>
  new ServiceError(
    'provider_unavailable',
    'The provider does not answer correctly, so people cannot sign in: try again in a moment. The log of control has the reason.',
  )

/** Undefined: a bug. */
function reasonNotProven(error: unknown): string | undefined {
  if (error instanceof NotProven) return error.message
  if (error instanceof oidc.ResponseBodyError) return `it refused the code: ${wordOf(error.error)}`
  if (error instanceof oidc.WWWAuthenticateChallengeError) return `it refused control: status ${error.status}`
  if (error instanceof oidc.ClientError) return `${error.message} (${wordOf(error.code)})`
  return undefined
}

/** An error code of OAuth. It is untrusted input, so anything else is not shown. */
const wordOf = (code: string | undefined): string =>
  /^[\w.-]{1,60}$/.test(code ?? '') ? code! : 'no reason given'

const fetchBounded: oidc.CustomFetch = async (url, options) => {
  try {
    const response = await fetch(url, options as RequestInit)
    const body = await readBounded(response)
    if (response.status >= 500) throw new Away(`it answers with status ${response.status}`)
    const { status, headers } = response
    return new Response(body.length === 0 ? null : body, { status, headers: plain(headers) })
  } catch (error) {
    throw error instanceof Away ? error : new Away(reasonOf(error))
  }
}

/** Headers for the body after decompression. */
function plain(headers: Headers): Headers {
  const kept = new Headers(headers)
  kept.delete('content-encoding')
  kept.delete('content-length')
  return kept
}

async function readBounded(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body ?? []) {
    size += part.length
    if (size > answerBytesMax) throw new Away('its answer is larger than 1 MiB')
    parts.push(part)
  }
  return Uint8Array.from(Buffer.concat(parts))
}
