/** How the web console is served, signing in and out, and writes with its cookie that are refused. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { accessibilityFaults } from '../support/accessibility.ts'
import { launchBrowser, noChromium, openPage, pageHeading, signInOnPage } from '../support/browser.ts'
import { Plane } from '../support/plane.ts'

suite('console: session', { skip: noChromium }, () => {
  let plane: Plane
  let browser: Browser
  before(async () => {
    ;[plane, browser] = await Promise.all([Plane.start(), launchBrowser()])
  })
  after(async () => {
    await browser?.close()
    await plane?.stop()
  })

  const origin = () => plane.control.api
  const cookieOf = (answer: Response) => answer.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const signInBy = (token: string, headers: Record<string, string> = {}, at = origin()) =>
    fetch(`${at}/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-imapfleet-console': '1', ...headers },
      body: JSON.stringify({ token }),
    })

  test('the page is never cached, its files are cached permanently, and it loads nothing from other sites', async () => {
    const page = await fetch(`${origin()}/orders/some-order`, { headers: { accept: 'text/html' } })
    assert.equal(page.status, 200)
    assert.equal(page.headers.get('cache-control'), 'no-cache')
    const policy = page.headers.get('content-security-policy') ?? ''
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/)
    assert.doesNotMatch(policy, /unsafe|\*|https?:/)
    const text = await page.text()
    assert.doesNotMatch(text, /<script>|<style|style=|https?:/)
    const etag = page.headers.get('etag') ?? ''
    const again = await fetch(`${origin()}/`, { headers: { 'if-none-match': etag } })
    assert.equal(again.status, 304)
    const asset = /src="(\/assets\/[^"]+\.js)"/.exec(text)?.[1] ?? ''
    const script = await fetch(`${origin()}${asset}`)
    assert.equal(script.headers.get('content-type'), 'text/javascript; charset=utf-8')
    assert.equal(script.headers.get('cache-control'), 'public, max-age=31536000, immutable')
    for (const path of ['/assets/none.js', '/assets/..%2Findex.html', '/v2/edges']) {
      const none = await fetch(`${origin()}${path}`)
      assert.equal(none.status, 404, path)
      assert.equal(none.headers.get('content-type'), 'application/problem+json')
    }
  })

  test('a wrong or expired token is refused with a sentence, and a valid one opens the requested page', async () => {
    const { page, offences } = await openPage(browser, origin())
    await page.goto('/audit?action=token.create')
    await signInOnPage(page, 'imapfleet_wrong')
    await page.getByRole('alert').getByText('This token is unknown').waitFor()
    const made = await plane.api('/v1/tokens', {
      body: { name: 'old', role: 'viewer', expiresInSeconds: 60 },
    })
    const { id, token } = made.body as { id: string; token: string }
    await plane.sql`update tokens set expires_at = now() where id = ${id}`
    await signInOnPage(page, token)
    await page.getByRole('alert').getByText('This token expired at').waitFor()
    await signInOnPage(page, plane.token)
    await pageHeading(page, 'Audit').waitFor()
    await page.getByRole('cell', { name: 'token.create' }).first().waitFor()
    assert.equal(new URL(page.url()).search, '?action=token.create')
    const [cookie] = await page.context().cookies()
    assert.deepEqual([cookie?.httpOnly, cookie?.sameSite, cookie?.secure], [true, 'Strict', false])
    assert.doesNotMatch(await page.evaluate('JSON.stringify([localStorage, document.cookie])'), /imapfleet_/)
    assert.deepEqual(await accessibilityFaults(page), [])
    assert.deepEqual(offences, [])
    await page.context().close()
  })

  test('the cookie is restricted to https if the console was loaded over https', async () => {
    const answer = await signInBy(plane.token, { origin: 'https://control.example' })
    assert.match(answer.headers.getSetCookie()[0] ?? '', /HttpOnly; Secure; SameSite=Strict/)
  })

  test('a session is known to every replica, and ends at all of them when the user signs out or the token ends', async () => {
    const replica = await plane.replica()
    const cookie = cookieOf(await signInBy(plane.token))
    const ask = (at: string) => fetch(`${at}/v1/session`, { headers: { cookie } })
    assert.equal((await ask(replica.api)).status, 200)
    await fetch(`${replica.api}/v1/session`, {
      method: 'DELETE',
      headers: { cookie, 'x-imapfleet-console': '1' },
    })
    assert.equal((await ask(origin())).status, 401)

    const short = await plane.api('/v1/tokens', { body: { name: 'short', role: 'viewer' } })
    const { id, token } = short.body as { id: string; token: string }
    const other = cookieOf(await signInBy(token))
    const refused = async () => {
      const answer = await fetch(`${replica.api}/v1/edges`, { headers: { cookie: other } })
      return [answer.status, ((await answer.json()) as { code?: string }).code]
    }
    assert.deepEqual(await refused(), [200, undefined])
    await plane.api(`/v1/tokens/${id}`, { method: 'DELETE' })
    assert.deepEqual(await refused(), [401, 'session_over'])
    assert.equal((await signInBy(token)).status, 401)
  })

  test('a write with the cookie that does not come from the console is refused', async () => {
    const cookie = cookieOf(await signInBy(plane.token))
    const drain = (headers: Record<string, string>) =>
      fetch(`${origin()}/v1/edges/drain`, {
        method: 'POST',
        headers: { cookie, 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ target: { kind: 'all' } }),
      })
    for (const headers of [
      {},
      { 'x-imapfleet-console': '1', 'sec-fetch-site': 'cross-site' },
      { 'x-imapfleet-console': '1', 'sec-fetch-site': 'same-site' },
    ]) {
      const answer = await drain(headers)
      assert.equal(answer.status, 403)
      assert.equal(((await answer.json()) as { code: string }).code, 'origin_refused')
    }
    assert.equal((await drain({ 'x-imapfleet-console': '1' })).status, 200)
    assert.equal((await signInBy(plane.token, { 'sec-fetch-site': 'cross-site' })).status, 403)
  })

  test("another site's page can neither write nor read with the cookie", async () => {
    const replica = await plane.replica()
    // Another origin of the same site: the worst case, because the browser sends the cookie.
    const { page } = await openPage(browser, origin())
    await page.goto('/')
    await signInOnPage(page, plane.token)
    await page.getByRole('button', { name: 'Sign out' }).waitFor()
    const evil = await page.context().newPage()
    await evil.goto(`${replica.api}/docs`)
    const attempts = await evil.evaluate(`(async () => {
      const url = ${JSON.stringify(`${origin()}/v1/revocations`)}
      const body = JSON.stringify({ kind: 'domain', subject: 'example.org' })
      const tried = []
      for (const [mode, headers] of [['no-cors', { 'content-type': 'text/plain' }], ['cors', { 'content-type': 'application/json', 'x-imapfleet-console': '1' }]])
        tried.push(await fetch(url, { method: 'POST', credentials: 'include', mode, headers, body }).then(({ type }) => type, () => 'failed'))
      tried.push(await fetch(url, { credentials: 'include' }).then(() => 'read', () => 'failed'))
      return tried
    })()`)
    // Here the policy of the page stops the browser. Requests from pages without one are refused above.
    assert.deepEqual(attempts, ['failed', 'failed', 'failed'])
    const { body } = await plane.api('/v1/revocations')
    assert.deepEqual((body as { revocations: unknown[] }).revocations, [])
    await page.context().close()
  })

  test('an ended session leads to the sign-in with a sentence, and from there back to the same page', async () => {
    const { page } = await openPage(browser, origin())
    await page.goto('/audit')
    await signInOnPage(page, plane.token)
    await page.getByRole('cell', { name: 'token.create' }).first().waitFor()
    await plane.sql`update sessions set expires_at = now()`
    await page.getByRole('button', { name: 'Refresh' }).click()
    await page.getByText('Your session has ended: sign in again.').waitFor()
    assert.deepEqual(await accessibilityFaults(page), [])
    await signInOnPage(page, plane.token)
    await pageHeading(page, 'Audit').waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await pageHeading(page, 'Sign in').waitFor()
    await page.reload()
    await pageHeading(page, 'Sign in').waitFor()
    await page.context().close()
  })

  test('while control is unreachable the page stays, says since when, and continues automatically', async () => {
    const { page, offences } = await openPage(browser, origin())
    await page.goto('/audit')
    await signInOnPage(page, plane.token)
    await page.getByRole('cell', { name: 'token.create' }).first().waitFor()
    await plane.control.process.stop()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByText('You are still signed in: Control does not answer.').waitFor()
    await page.getByText('The page shows data from').waitFor()
    assert.equal(await page.getByRole('cell', { name: 'token.create' }).first().isVisible(), true)
    await plane.control.process.start()
    // Nothing on this page polls.
    await page.getByText('The page shows data from').waitFor({ state: 'detached' })
    assert.deepEqual(offences, [])
    await page.context().close()
  })

  test('a control that hangs is noticed on a page with few polls, with the time of its last answer', async () => {
    const { page } = await openPage(browser, origin())
    await page.goto('/alerts')
    await signInOnPage(page, plane.token)
    await page.getByText('No channels').waitFor()
    const hungAt = new Date()
    plane.control.process.send('SIGSTOP')
    try {
      const banner = page.getByText('The page shows data from')
      await banner.waitFor({ timeout: 22_000 })
      const [shown = ''] = /\d\d:\d\d:\d\d/.exec((await banner.textContent()) ?? '') ?? []
      const latest = hungAt.toTimeString().slice(0, 8)
      assert.ok(
        shown <= latest || latest < '00:01:00',
        `data from ${shown}, although it hangs since ${latest}`,
      )
    } finally {
      plane.control.process.send('SIGCONT')
    }
    await page.getByText('The page shows data from').waitFor({ state: 'detached' })
    await page.context().close()
  })

  test('without the built files, the root says what to run, and the API works', async () => {
    const bare = await plane.replica({ CONSOLE_DIRECTORY: plane.ground.directory })
    const page = await fetch(`${bare.api}/`)
    assert.equal(page.status, 503)
    assert.match(await page.text(), /npm run build/)
    assert.equal((await plane.api('/v1/edges', { of: bare })).status, 200)
  })
})
