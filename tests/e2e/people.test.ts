/** People sign in through a real OpenID Connect provider, in Chromium. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { node, programFiles, repository, temporaryDirectory } from '@imapfleet/local'
import type { Browser, Page } from 'playwright-core'
import { accessibilityFaults } from '../support/accessibility.ts'
import { launchBrowser, noChromium, openPage, pageHeading, signInOnPage } from '../support/browser.ts'
import { runCommand, startCommand } from '../support/command.ts'
import { close } from '../support/console.ts'
import { script } from '../support/documents.ts'
import { IdentityProvider, testClient } from '../support/identity-provider.ts'
import { Plane } from '../support/plane.ts'
import { until } from '../support/until.ts'

const groups = `
groups:
  - group: mail-admins
    role: admin
  - group: team-eu
    role: operator
    regions: [eu]
`

suite('people', { skip: noChromium }, () => {
  let provider: IdentityProvider
  let plane: Plane
  let browser: Browser
  before(async () => {
    provider = await IdentityProvider.start()
    provider.people.set('ann', { email: 'alice@example.org', groups: ['mail-admins', 'everybody'] })
    provider.people.set('eve', { email: 'eve@example.org', groups: ['team-eu'] })
    provider.people.set('new', { email: 'new@example.org', groups: ['everybody'] })
    provider.people.set('mallory', {
      email: 'alice@example.org',
      emailVerified: false,
      groups: ['mail-admins'],
    })
    const directory = temporaryDirectory('people')
    await writeFile(join(directory, 'groups.yaml'), groups)
    await writeFile(join(directory, 'secret'), `${testClient.secret}\n`)
    const environment = (api: string) => {
      provider.register(`${api}/sign-in/callback`)
      return {
        PUBLIC_URL: api,
        OIDC_ISSUER: provider.issuer,
        OIDC_CLIENT_ID: testClient.id,
        OIDC_CLIENT_SECRET_FILE: join(directory, 'secret'),
        OIDC_GROUPS_FILE: join(directory, 'groups.yaml'),
        OIDC_SCOPES: 'openid email groups',
        OIDC_LABEL: 'Example',
      }
    }
    ;[plane, browser] = await Promise.all([Plane.start({ environment }), launchBrowser()])
  })
  after(async () => {
    await browser?.close()
    await plane?.stop()
    await provider?.stop()
  })

  /** A new browser. Requests to the provider are no offence. */
  const visit = async (path: string) => {
    const { page, offences } = await openPage(browser, plane.control.api)
    await page.goto(path)
    return { page, faults: () => offences.filter((text) => !text.startsWith(`it asked ${provider.issuer}/`)) }
  }
  const signIn = async (page: Page, login: string) => {
    await page.getByRole('link', { name: 'Sign in with Example' }).click()
    await page.getByLabel('Login').fill(login)
    await page.getByRole('button', { name: 'Continue' }).click()
  }

  test('a person signs in, returns to the page, and is the actor of the audit log', async () => {
    const { page, faults } = await visit('/audit?action=session.begin')
    await page.getByRole('link', { name: 'Sign in with Example' }).waitFor()
    assert.deepEqual(await accessibilityFaults(page), [])
    await signIn(page, 'ann')
    await pageHeading(page, 'Audit').waitFor()
    assert.equal(page.url(), `${plane.control.api}/audit?action=session.begin`)
    await page.getByRole('cell', { name: 'alice@example.org' }).first().waitFor()
    const cookies = await page.context().cookies(plane.control.api)
    assert.deepEqual(
      cookies.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite]),
      [['imapfleet_session', true, 'Strict']],
    )
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('link', { name: 'Sign in with Example' }).waitFor()
    assert.deepEqual(faults(), [])
    await close(page)
  })

  test('a person without a listed group, and one that the provider refuses, see a page that says so', async () => {
    const { page, faults } = await visit('/')
    await signIn(page, 'new')
    await pageHeading(page, 'Your groups may not use imapfleet').waitFor()
    await page.getByText('signed you in as new@example.org').waitFor()
    assert.deepEqual(await accessibilityFaults(page), [])
    await page.context().clearCookies()
    await page.getByRole('link', { name: 'Back to the console' }).click()
    await signIn(page, 'unknown')
    await pageHeading(page, 'The provider did not sign you in').waitFor()
    assert.deepEqual(await page.context().cookies(plane.control.api), [])
    assert.deepEqual(faults(), [])
    await close(page)
  })

  test('an unverified mail address is refused', async () => {
    const { page } = await visit('/')
    await signIn(page, 'mallory')
    await page.getByText('has not verified your mail address').waitFor()
    assert.deepEqual(await page.context().cookies(plane.control.api), [])
    await close(page)
  })

  const cli = (words: string[], profiles: string) =>
    startCommand(node, [programFiles.cli, ...words], {
      env: {
        XDG_CONFIG_HOME: profiles,
        BROWSER: '/bin/true',
        IMAPFLEET_TOKEN: undefined,
        IMAPFLEET_SERVER: undefined,
      },
    })

  test('the command line signs in by the browser of its machine, and logs out', async () => {
    const home = temporaryDirectory('people-cli')
    const login = cli(['login', plane.control.api, '--browser'], home)
    const address = await until('the address', () => /http\S+cli-login\S+/.exec(login.stderr())?.[0])
    const { page, faults } = await visit(address)
    await signIn(page, 'ann')
    await page.getByText('alice@example.org').first().waitFor()
    assert.deepEqual(await accessibilityFaults(page), [])
    await page.getByRole('button', { name: 'Sign in the command line' }).click()
    await page.getByText('return to the terminal').waitFor()
    assert.match(page.url(), /^http:\/\/127\.0\.0\.1:\d+\/\?code=/)
    const said = await login.ended
    assert.equal(said.status, 0, said.stderr)
    assert.match(said.stdout, /^You are alice@example\.org until /)
    const file = await readFile(join(home, 'imapfleet', 'profiles.json'), 'utf8')
    const [token = ''] = /imapfleet_[\w-]{43}/.exec(file) ?? []
    assert.ok(token !== '' && !(said.stdout + said.stderr).includes(token))

    assert.match((await cli(['people'], home).ended).stdout, /alice@example\.org +admin/)
    const tokens = await cli(['tokens', 'create', 'made', '--role', 'viewer'], home).ended
    assert.equal(tokens.status, 0, tokens.stderr)
    const { entries } = (await plane.api('/v1/audit?action=token.create&limit=1')).body as {
      entries: { actor: string }[]
    }
    assert.equal(entries[0]?.actor, 'alice@example.org')

    assert.equal((await cli(['logout'], home).ended).status, 0)
    assert.equal((await plane.api('/v1/session', { token })).status, 401)
    assert.match((await cli(['edges'], home).ended).stderr, /no server is configured/)
    assert.deepEqual(
      faults().filter((text) => !/it asked http:\/\/127\.0\.0\.1:\d+\/\?code=/.test(text)),
      [],
    )
    await close(page)
  })

  test('the command line signs in by a code that is typed elsewhere, with the rights of the person', async () => {
    const home = temporaryDirectory('people-device')
    const login = cli(['login', plane.control.api, '--device'], home)
    const code = await until('the code', () => /\b[A-Z]{4}-[A-Z]{4}\b/.exec(login.stderr())?.[0])
    const { page, faults } = await visit('/cli-login')
    await signIn(page, 'eve')
    await page.getByLabel('Code').fill('BBBB-BBBB')
    await page.getByRole('button', { name: 'Sign in the command line' }).click()
    await page.getByText('No login waits for this code').waitFor()
    assert.deepEqual(await accessibilityFaults(page), [])
    await page.getByLabel('Code').fill(code.toLowerCase())
    await page.getByRole('button', { name: 'Sign in the command line' }).click()
    await page.getByText('The command line is signed in').waitFor()
    const said = await login.ended
    assert.equal(said.status, 0, said.stderr)
    assert.match((await cli(['audit'], home).ended).stderr, /lacks the role admin/)
    assert.match(
      (await cli(['edges'], home).ended).stdout + (await cli(['profile'], home).ended).stdout,
      /eve@example\.org/,
    )
    await plane.api('/v1/people/eve%40example.org', { method: 'DELETE' })
    assert.match((await cli(['edges'], home).ended).stderr, /signed out of .*: run `imapfleet login/)
    assert.deepEqual(faults(), [])
    await close(page)
  })

  test('a session of a token cannot sign in the command line', async () => {
    const { page } = await visit('/cli-login')
    await signInOnPage(page, plane.token)
    await page.getByLabel('Code').fill('BDFH-KMPR')
    await page.getByRole('button', { name: 'Sign in the command line' }).click()
    await page.getByText('sign in through the provider').waitFor()
    await close(page)
  })

  test('a person with the limit of a region sees only that region, and streams end with the session', async () => {
    const edges = await Promise.all([plane.edge('eu', 'eu-1'), plane.edge('us', 'us-1')])
    for (const edge of edges) edge.beat()
    const listed = async () => ((await plane.api('/v1/edges')).body as { edges: unknown[] }).edges.length
    await until('both edges', async () => (await listed()) === 2)
    const { page } = await visit('/')
    await signIn(page, 'eve')
    await pageHeading(page, 'Overview').waitFor()
    const [cookie] = await page.context().cookies(plane.control.api)
    const ask = (path: string) =>
      fetch(plane.control.api + path, { headers: { cookie: `imapfleet_session=${cookie?.value}` } })
    assert.equal((await ask('/v1/audit')).status, 403)
    assert.deepEqual([(await ask('/v1/edges/eu-1')).status, (await ask('/v1/edges/us-1')).status], [200, 404])
    const stream = await ask('/v1/live')
    assert.equal(stream.status, 200)
    const { body } = await plane.api('/v1/people/eve%40example.org', { method: 'DELETE' })
    assert.deepEqual(body, { ended: 1 })
    assert.match(await stream.text(), /session_over/)
    await until('the sign-in page', async () => await page.getByText('sign in again').isVisible())
    await close(page)
  })

  test('an administrator ends the sessions of a person in the console', async () => {
    const { page: theirs } = await visit('/')
    await signIn(theirs, 'eve')
    await pageHeading(theirs, 'Overview').waitFor()
    const { page, faults } = await visit('/access')
    await signInOnPage(page, plane.token)
    await page.getByRole('button', { name: 'End sessions of eve@example.org' }).click()
    await page.getByRole('dialog').getByRole('textbox').fill('eve@example.org')
    await page.getByRole('dialog').getByRole('button', { name: 'End sessions' }).click()
    await page.getByText('1 session of eve@example.org ended.').waitFor()
    assert.deepEqual(await accessibilityFaults(page), [])
    await until('the sign-in page', async () => await theirs.getByText('sign in again').isVisible())
    assert.deepEqual(faults(), [])
    await Promise.all([close(page), close(theirs)])
  })

  test('the commands of the document work as printed', async () => {
    const { page } = await visit('/')
    await signIn(page, 'ann')
    await pageHeading(page, 'Overview').waitFor()
    const commands = script('docs/people.md', 'imapfleet people')
    const env = { IMAPFLEET_SERVER: plane.control.api, IMAPFLEET_TOKEN: plane.token }
    const said = await runCommand('sh', ['-ec', `PATH=${repository}:$PATH; ${commands}`], { env })
    assert.equal(said.status, 0, said.stderr)
    assert.match(
      said.stdout,
      /alice@example\.org +admin[^]*alice@example\.org is signed out everywhere \(\d+\)/,
    )
    await until('the sign-in page', async () => await page.getByText('sign in again').isVisible())
    await close(page)
  })
})
