import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Hono } from 'hono'
import { beginAttempt, pageWithin, takeAttempt } from './attempt.ts'

const publicUrl = 'https://control.example'

test('the browser returns only to pages of the console', () => {
  for (const asked of ['/', '/edges/eu-1?tab=2', '/a%2F%2Fb', '/cli-login?port=1#x'])
    assert.equal(pageWithin(publicUrl, asked), publicUrl + asked)
  for (const asked of [
    undefined,
    '',
    'edges',
    'https://evil.example/',
    '//evil.example/',
    '/\\evil.example/',
    '/\t/evil.example/',
    '\\/evil.example',
    'javascript:alert(1)',
    '@evil.example',
    '.evil.example',
    `/${'x'.repeat(2_000)}`,
  ])
    assert.equal(pageWithin(publicUrl, asked), `${publicUrl}/`, String(asked))
  // Its path begins with two slashes, so as a relative address it would name another host.
  assert.equal(pageWithin(publicUrl, '/.//evil.example/'), `${publicUrl}//evil.example/`)
})

async function begun(url: string, to?: string) {
  const app = new Hono()
    .get('/begin', (context) => context.json(beginAttempt(context, url, to)))
    .get('/take', (context) => context.json(takeAttempt(context, url) ?? null))
  const answer = await app.request('/begin')
  const header = answer.headers.get('set-cookie') ?? ''
  const take = async (cookie: string) => {
    const taken = await app.request('/take', { headers: { cookie } })
    return { attempt: await taken.json(), header: taken.headers.get('set-cookie') ?? '' }
  }
  return { attempt: await answer.json(), header, cookie: header.split(';')[0] ?? '', take }
}

test('the browser that started an attempt finishes it once, and returns to its page', async () => {
  const { attempt, cookie, take } = await begun(publicUrl, '/edges?x=ä')
  const taken = await take(cookie)
  assert.deepEqual(taken.attempt, attempt)
  assert.match(taken.header, /^__Host-imapfleet_sign_in=; Max-Age=0/)
})

test('state, nonce and verifier are different in each attempt, and the cookie contains none of them', async () => {
  const texts = []
  for (let count = 0; count < 3; count++) {
    const { attempt, cookie } = await begun(publicUrl)
    const { proofs } = attempt as { proofs: Record<string, string> }
    for (const text of Object.values(proofs)) {
      assert.match(text, /^[\w-]{43}$/)
      assert.ok(!cookie.includes(text))
      texts.push(text)
    }
  }
  assert.equal(new Set(texts).size, 9)
})

test('the cookie is HttpOnly, bound to the host, and Secure over https', async () => {
  const { header } = await begun(publicUrl)
  assert.match(
    header,
    /^__Host-imapfleet_sign_in=[\w.-]+; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  )
  const { header: plain } = await begun('http://127.0.0.1:8080')
  assert.match(plain, /^imapfleet_sign_in=[\w.-]+; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/)
})

test('without the cookie, or with a forged one, there is no attempt', async () => {
  const { cookie, take } = await begun(publicUrl)
  const value = cookie.split('=')[1] ?? ''
  for (const other of [
    '',
    `imapfleet_sign_in=${value}`,
    '__Host-imapfleet_sign_in=',
    '__Host-imapfleet_sign_in=x.y',
  ])
    assert.equal((await take(other)).attempt, null, other)
  const evil = Buffer.from('//evil.example').toString('base64url')
  const { attempt } = await take(`__Host-imapfleet_sign_in=${value.split('.')[0]}.${evil}`)
  assert.equal((attempt as { to: string }).to, `${publicUrl}/`)
})
