/** The client of the provider, against a provider on loopback that answers correctly, wrongly, or not at all. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { after, before, beforeEach, suite, test } from 'node:test'
import {
  clientId,
  clientSecret,
  LoopbackProvider,
  proofs,
  signedJwt,
  weakJwt,
} from './provider.test-support.ts'
import { discover } from './provider.ts'

suite('the provider', () => {
  const provider = new LoopbackProvider()
  before(async () => await provider.start())
  after(() => provider.stop())
  beforeEach(() => provider.reset())

  const query = (more: Record<string, string> = {}) =>
    new URLSearchParams({ code: 'the-code', state: proofs.state, ...more }).toString()
  const finish = async (more?: Record<string, string>, lines: string[] = []) =>
    await provider.relyingParty({}, lines).claimsOf(query(more), proofs)
  const fails = async (code: string, what: string, more?: Record<string, string>) =>
    await assert.rejects(finish(more), { code }, what)

  test('the address for the browser has state, nonce and challenge, but neither the secret nor the verifier', async () => {
    const url = await provider.relyingParty().signInUrl(proofs)
    assert.equal(url.origin + url.pathname, `${provider.issuer}/authorize`)
    const sent = Object.fromEntries(url.searchParams)
    assert.equal(sent['redirect_uri'], 'https://control.example/sign-in/callback')
    assert.deepEqual(
      [sent['response_type'], sent['state'], sent['nonce'], sent['code_challenge_method'], sent['scope']],
      ['code', proofs.state, proofs.nonce, 'S256', 'openid email'],
    )
    assert.ok(!url.href.includes(proofs.verifier) && !url.href.includes(encodeURIComponent(clientSecret)))
  })

  test('a code is exchanged for claims, with the verifier, and with the secret in the header', async () => {
    const claims = await finish()
    assert.deepEqual(
      [claims['sub'], claims['email'], claims['groups']],
      ['subject-1', 'ann@example.org', ['staff']],
    )
    const [asked] = provider.asked.filter(({ path }) => path === '/token')
    assert.equal(asked?.body.get('code_verifier'), proofs.verifier)
    assert.match(asked?.authorization ?? '', /^Basic /)
    assert.equal(asked?.body.get('client_secret'), null)
  })

  test('the secret is sent in the body if the provider supports only that', async () => {
    provider.metadata = { token_endpoint_auth_methods_supported: ['client_secret_post'] }
    await finish()
    const [asked] = provider.asked.filter(({ path }) => path === '/token')
    assert.deepEqual([asked?.authorization, asked?.body.get('client_secret')], [undefined, clientSecret])
  })

  test('a wrong or missing state, a missing code and a wrong issuer are refused before a code is sent', async () => {
    await fails('sign_in_failed', 'another state', { state: 'another' })
    await fails('sign_in_failed', 'another issuer', { iss: 'https://evil.example' })
    for (const bare of ['', 'code=the-code', `state=${proofs.state}`, `code=a&code=b&state=${proofs.state}`])
      await assert.rejects(provider.relyingParty().claimsOf(bare, proofs), { code: 'sign_in_failed' }, bare)
    assert.deepEqual(
      provider.asked.filter(({ path }) => path === '/token'),
      [],
    )
  })

  test('the parameter iss is required if the provider announces it (RFC 9207)', async () => {
    provider.metadata = { authorization_response_iss_parameter_supported: true }
    await fails('sign_in_failed', 'without iss')
    await finish({ iss: provider.issuer })
  })

  test('an error of the provider is shown only if it is an error code of OAuth', async () => {
    await assert.rejects(finish({ error: 'access_denied' }), {
      code: 'sign_in_refused',
      message: /\(access_denied\)/,
    })
    await assert.rejects(finish({ error: 'call <b>0900 1234</b> now' }), {
      code: 'sign_in_refused',
      message: /\(no reason given\)/,
    })
  })

  test('an ID token with wrong claims or a wrong signature is refused', async () => {
    const seconds = Math.floor(Date.now() / 1000)
    const claims: Record<string, Record<string, unknown>> = {
      'has expired': { exp: seconds - 3_600, iat: seconds - 7_200 },
      'is from the future': { iat: seconds + 3_600, exp: seconds + 7_200 },
      'is not valid yet': { nbf: seconds + 3_600 },
      'never expires': { exp: undefined },
      'was never issued': { iat: undefined },
      'has a text as time': { exp: String(seconds + 300) },
      'is of another issuer': { iss: 'https://evil.example' },
      'is for another client': { aud: 'another' },
      'is for several clients, and another one asked': { aud: [clientId, 'another'], azp: 'another' },
      'has another nonce': { nonce: 'another' },
      'has no nonce': { nonce: undefined },
      'has no subject': { sub: undefined },
    }
    for (const [what, some] of Object.entries(claims)) {
      provider.claims = some
      await fails('sign_in_failed', what)
    }
    provider.claims = {}
    const signed: Record<string, (its: Record<string, unknown>) => string | undefined> = {
      'is missing': () => undefined,
      'is not a token': () => 'nonsense',
      'is signed with another key': (its) => signedJwt(its, provider.otherKeys.privateKey),
      'names a key that there is not': (its) => signedJwt(its, provider.keys.privateKey, { kid: 'two' }),
      'was changed afterwards': (its) => {
        const [header, , signature] = signedJwt(its, provider.keys.privateKey).split('.')
        const changed = Buffer.from(JSON.stringify({ ...its, sub: 'root' })).toString('base64url')
        return `${header}.${changed}.${signature}`
      },
    }
    for (const [what, idToken] of Object.entries(signed)) {
      provider.idToken = idToken
      await fails('sign_in_failed', what)
    }
  })

  test('unsigned ID tokens, and those signed with the shared secret, are refused, even if the provider announces such algorithms', async () => {
    for (const algorithms of [undefined, ['RS256'], ['RS256', 'none', 'HS256'], 'none'])
      for (const alg of ['none', 'HS256'] as const) {
        provider.metadata = { id_token_signing_alg_values_supported: algorithms }
        provider.idToken = (its) => weakJwt(its, alg, clientSecret)
        await fails('sign_in_failed', `${alg} of ${String(algorithms)}`)
      }
  })

  test('keys are read again for a new configuration', async () => {
    const party = provider.relyingParty()
    await party.claimsOf(query(), proofs)
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    provider.idToken = (its) => signedJwt(its, privateKey, { kid: 'two' })
    provider.handler = (path, response) => {
      if (path !== '/jwks') return false
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(
        JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'two', use: 'sig' }] }),
      )
      return true
    }
    await assert.rejects(
      party.claimsOf(query(), proofs),
      { code: 'sign_in_failed' },
      'it reads keys once a minute',
    )
    assert.equal((await provider.relyingParty().claimsOf(query(), proofs))['sub'], 'subject-1')
  })

  test('claims missing in the ID token come from the userinfo endpoint, for the same subject only', async () => {
    provider.claims = { groups: undefined }
    provider.userinfo = { groups: ['admins'], email: 'evil@example.org' }
    const claims = await finish()
    assert.deepEqual([claims['groups'], claims['email']], [['admins'], 'ann@example.org'])
    provider.userinfo = { sub: 'subject-2', groups: ['admins'] }
    await fails('sign_in_failed', 'another subject')
  })

  test('email and email_verified come from the same source', async () => {
    provider.claims = { groups: undefined, email_verified: undefined }
    provider.userinfo = { groups: [], email: 'other@example.org', email_verified: true }
    assert.equal((await finish())['email_verified'], undefined)
    provider.claims = { email: undefined, email_verified: undefined }
    const { email, email_verified: isVerified } = await finish()
    assert.deepEqual([email, isVerified], ['other@example.org', true])
  })

  test('a configuration with another issuer is refused', async () => {
    for (const issuer of [
      'https://evil.example',
      `${provider.issuer}/{tenantid}/v2.0`,
      `${provider.issuer}/other`,
      5,
      undefined,
    ]) {
      provider.metadata = { issuer }
      await assert.rejects(
        provider.relyingParty().signInUrl(proofs),
        { code: 'provider_unavailable' },
        String(issuer),
      )
    }
  })

  test('the multi-tenant issuers of Entra ID are refused', async (t) => {
    const origin = 'https://login.microsoftonline.com'
    // The library accepts them at this address only, which tests must not call.
    t.mock.method(globalThis, 'fetch', async () =>
      Response.json({
        issuer: `${origin}/{tenantid}/v2.0`,
        authorization_endpoint: `${origin}/common/oauth2/v2.0/authorize`,
      }),
    )
    await assert.rejects(
      discover(provider.options({ issuer: `${origin}/common/v2.0` })),
      /write the issuer of your own tenant/,
    )
  })

  test('an answer of the provider is read up to 1 MiB', async () => {
    const lines: string[] = []
    provider.metadata = { padding: 'x'.repeat(1_048_576) }
    const party = provider.relyingParty({}, lines)
    await assert.rejects(party.signInUrl(proofs), { code: 'provider_unavailable' })
    assert.match(lines.join(), /larger than 1 MiB/)
    provider.metadata = { padding: 'x'.repeat(1_000_000) }
    await party.signInUrl(proofs)
  })

  test('a provider that is down, or sends invalid or too large answers, is unavailable until it recovers', async () => {
    const lines: string[] = []
    const party = provider.relyingParty({}, lines)
    const answers: [number, string][] = [
      [503, '{}'],
      [500, 'sorry'],
      [302, ''],
      [200, '<html>'],
      [200, '[]'],
      [200, `{"issuer":"${'x'.repeat(2_000_000)}"}`],
    ]
    for (const [status, text] of answers) {
      provider.handler = (_, response) => {
        response
          .writeHead(status, { 'content-type': 'application/json', location: 'https://evil.example/' })
          .end(text)
        return true
      }
      await assert.rejects(
        party.signInUrl(proofs),
        { code: 'provider_unavailable' },
        `${status} ${text.slice(0, 20)}`,
      )
    }
    provider.handler = (_, response) => response.destroy() !== undefined
    await assert.rejects(party.signInUrl(proofs), { code: 'provider_unavailable' })
    provider.reset()
    await party.claimsOf(query(), proofs)
    for (const status of [500, 503]) {
      provider.handler = (path, response) => {
        if (path !== '/token') return false
        response.writeHead(status).end()
        return true
      }
      await assert.rejects(party.claimsOf(query(), proofs), { code: 'provider_unavailable' })
    }
    const said = lines.filter((line) => /does not answer|answers again/.test(line))
    assert.equal(said.length, 3, 'once at the start of each outage, and once at its end')
  })

  test('a provider that does not answer, or never finishes its answer, is given up', async () => {
    const begins = (response: ServerResponse) =>
      response.writeHead(200, { 'content-type': 'application/json' }).write('{')
    for (const hang of [() => true, begins])
      for (const path of ['/.well-known/openid-configuration', '/token', '/jwks']) {
        const party = provider.relyingParty({}, [], 0.2)
        if (path !== '/.well-known/openid-configuration') await party.signInUrl(proofs)
        provider.handler = (asked, response) => asked === path && hang(response)
        await assert.rejects(party.claimsOf(query(), proofs), { code: 'provider_unavailable' }, path)
        provider.reset()
      }
  })

  test('the log contains no tokens, codes or names', async () => {
    const lines: string[] = []
    for (const claims of [{}, { nonce: 'another' }, { exp: 1 }]) {
      provider.claims = claims
      await finish({}, lines).catch(() => undefined)
    }
    provider.handler = (path, response) => {
      if (path !== '/token') return false
      response.writeHead(400, { 'content-type': 'application/json' })
      response.end('{"error":"invalid_grant","error_description":"the-code is used"}')
      return true
    }
    await finish({}, lines).catch(() => undefined)
    assert.ok(lines.length >= 3)
    const text = lines.join('')
    assert.match(text, /it refused the code: invalid_grant/)
    assert.doesNotMatch(text, /the-code|access-token|refresh-token|eyJ|the-nonce|the-state|50%|ann@/)
  })
})
