/** What control sends together with a page of the console. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import type { AccessLimits } from '@imapfleet/api'
import { removeTemporaryDirectory, temporaryDirectory } from '@imapfleet/local/in-tests'
import { createApp } from './app.ts'
import { testDeps, type TestDeps } from './deps.test-support.ts'
import { createToken } from './features/access/service.ts'
import { fillForTenants } from './two-tenants.test-support.ts'

suite('first answers', () => {
  const stopping = new AbortController()
  const directory = temporaryDirectory('console')
  let deps: TestDeps
  let app: ReturnType<typeof createApp>
  before(async () => {
    mkdirSync(directory, { recursive: true })
    writeFileSync(`${directory}/index.html`, '<body><div id="console"></div></body>')
    deps = await testDeps()
    await fillForTenants(deps)
    app = createApp(deps, { stopping: stopping.signal, trustedProxies: [], consoleDirectory: directory })
  })
  after(async () => {
    stopping.abort()
    await deps.db.close()
    await removeTemporaryDirectory(directory)
  })

  const get = async (path: string, headers: Record<string, string>) =>
    await app.fetch(new Request(`http://control.test${path}`, { headers }), {
      incoming: { socket: { remoteAddress: '198.51.100.1' } },
    })
  const page = async (path: string, cookie?: string) =>
    await get(path, { accept: 'text/html', ...(cookie !== undefined && { cookie }) })
  const answersIn = (html: string) =>
    [...html.matchAll(/data-answer="([^"]*)" data-status="(\d+)">(.*?)<\/script>/g)].map(
      ([, path = '', status, text = '']) => ({
        path: path.replaceAll('&amp;', '&'),
        status: Number(status),
        text: text.replaceAll(String.raw`\u003c`, '<'),
      }),
    )
  const signedIn = async (limits: AccessLimits, role: 'viewer' | 'admin' = 'viewer') => {
    const { token } = await createToken(deps, 'root', { name: 'ann', role, scopes: [], limits })
    const response = await app.request('http://control.test/v1/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-imapfleet-console': '1' },
      body: JSON.stringify({ token }),
    })
    assert.equal(response.status, 201)
    return response.headers.get('set-cookie')?.split(';')[0] ?? ''
  }

  test('a page without a session has no answers, and is the same for everybody', async () => {
    const response = await page('/')
    assert.equal(await response.text(), '<body><div id="console"></div></body>')
    assert.equal(response.headers.get('cache-control'), 'no-cache')
  })

  test('a page has the answers of the API for the session, within its limits, and is not stored', async () => {
    for (const limits of [{}, { regions: ['eu'] }]) {
      const cookie = await signedIn(limits)
      for (const path of ['/', '/history', '/config', '/orders', '/audit', '/access']) {
        const response = await page(path, cookie)
        assert.equal(response.headers.get('cache-control'), 'no-store')
        const answers = answersIn(await response.text())
        assert.ok(answers.length >= 2, path)
        for (const answer of answers) {
          const asked = await get(answer.path, { accept: 'application/json', cookie })
          assert.equal(answer.status, asked.status, answer.path)
          const text = await asked.text()
          // Times of control are part of some answers.
          if (!/seconds|history/i.test(answer.path)) assert.equal(timeless(answer.text), timeless(text))
        }
      }
    }
    const limited = await (await page('/', await signedIn({ regions: ['eu'] }))).text()
    assert.match(limited, /"region":"eu"/)
    assert.doesNotMatch(limited, /farland/)
    assert.match(await (await page('/', await signedIn({}))).text(), /farland/)
  })

  test('a session that has ended gets refusals', async () => {
    const cookie = await signedIn({})
    await deps.db.sql`delete from sessions`
    const answers = answersIn(await (await page('/audit', cookie)).text())
    assert.ok(answers.length > 0)
    for (const { status, text } of answers) {
      assert.equal(status, 401)
      assert.match(text, /session_over/)
    }
  })
})

const timeless = (json: string) => json.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'T').replaceAll(/\d+ s/g, 'S')
