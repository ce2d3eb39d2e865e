/**
 * `npm run screenshots`: runs a real fleet with traffic and takes screenshots of its console for docs/screenshots.
 * `--seconds N`: duration of the traffic. `--every DIRECTORY`: instead, takes every page in light and dark, wide and narrow,
 * for development.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { repository, startStack, temporaryDirectory, type Stack } from '@imapfleet/local'
import type { Browser } from 'playwright-core'
import { launchBrowser, openPage, pageHeading, signInOnPage, type Appearance } from '../support/browser.ts'
import { shots } from './shots.ts'
import { clickAround, stay } from './traffic.ts'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '300' }, every: { type: 'string' } },
})
const names = ['anna', 'ben', 'chloe', 'david', 'emma', 'felix', 'greta', 'hugo', 'ida', 'jonas']
const users = names.map((name) => ({
  user: `${name}@example.org`,
  password: `demo-${name}`,
  mailbox: 'small' as const,
}))
const wide = { width: 1280, height: 800 }
/** Screenshots for documents are cut, to keep the files small. */
const tallest = values.every === undefined ? 1_000 : 20_000
const narrow = { width: 375, height: 800 }

const directory = temporaryDirectory('screenshots')
const config = { fleet: { heartbeatMs: 1_000, reportIntervalMs: 2_000 } }
const edges = ['eu-1', 'eu-2', 'us-1', 'us-2'].map((id) => ({ id, region: id.slice(0, 2), config }))
const stack = await startStack({ directory, edges, durable: false, dovecot: { users } })
const token = await stack.control.createToken('marie', 'admin')
const browser = await launchBrowser()
try {
  const demo = stack.dovecot?.users ?? []
  const ports = stack.edges.map(({ imapPort }) => imapPort)
  const traffic = clickAround([...demo, ...users], ports)
  const [alice] = demo
  const stayed = await Promise.all(
    ports.slice(0, 2).map(async (port) => (alice ? await stay(alice, port) : undefined)),
  )
  await pause(Number(values.seconds) * 1000)
  await operate(stack)
  await (values.every === undefined ? forDocuments(browser, stack) : forEyes(browser, stack, values.every))
  await traffic.stop()
  await Promise.all(stayed.map(async (client) => await client?.kill()))
} finally {
  await browser.close()
  await stack.stop()
}

/** Typical actions of operators. */
async function operate({ control }: Stack): Promise<void> {
  const post = async (path: string, body: unknown) => {
    const answer = await fetch(`${control.api}/v1/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`)
  }
  const layer = { kind: 'region', name: 'eu' }
  await post('config/revisions', { layer, set: { 'pool.idleTimeoutMs': 240_000 }, note: 'longer breaks' })
  await post('config/revisions', {
    layer: { kind: 'global' },
    set: { 'pool.usesMax': 2_000 },
    note: 'connections live longer',
    rollout: { canaryEdges: ['eu-1'], regions: ['us'], soakSeconds: 3_600 },
  })
  await post('traces', { user: 'alice', seconds: 3_600 })
  await post('orders', { action: { kind: 'purge-idle', user: 'ben@example.org' } })
  await post('revocations', { kind: 'user', subject: 'felix@example.org', note: 'password changed' })
  await post('orders', { action: { kind: 'kick-user', user: 'felix@example.org' } })
  await post('orders', { target: { kind: 'region', name: 'us' }, action: { kind: 'version' } })
  await post('edges/drain', { target: { kind: 'edge', name: 'us-2' } })
  await pause(3_000)
}

async function forDocuments(by: Browser, { control }: Stack): Promise<void> {
  const into = `${repository}/docs/screenshots`
  await mkdir(into, { recursive: true })
  await photograph(by, control.api, wide, (name) => `${into}/${name}.png`)
  await photograph(by, control.api, { ...wide, colours: 'dark' }, (name) =>
    name === 'overview' ? `${into}/${name}-dark.png` : undefined,
  )
  await photograph(by, control.api, narrow, (name) =>
    name === 'overview' ? `${into}/${name}-narrow.png` : undefined,
  )
}

async function forEyes(by: Browser, { control }: Stack, into: string): Promise<void> {
  await mkdir(into, { recursive: true })
  for (const colours of ['light', 'dark'] as const)
    for (const look of [wide, narrow])
      await photograph(by, control.api, { ...look, colours }, (name) =>
        join(into, `${name}-${colours}-${look.width}.png`),
      )
}

/** `fileOf`: the file for a page; undefined skips the page. */
async function photograph(
  by: Browser,
  origin: string,
  look: Appearance & { width: number },
  fileOf: (name: string) => string | undefined,
): Promise<void> {
  const { width } = look
  const { page } = await openPage(by, origin, look)
  const entrance = fileOf('sign-in')
  await page.goto('/')
  await pageHeading(page, 'Sign in').waitFor()
  if (entrance !== undefined) await page.screenshot({ path: entrance })
  await signInOnPage(page, token)
  await pageHeading(page, 'Overview').waitFor()
  for (const { name, path, ready } of shots) {
    const file = fileOf(name)
    if (file === undefined) continue
    await page.goto(path)
    await ready(page)
    const height = (await page.evaluate('document.documentElement.scrollHeight')) as number
    // As tall as the page, so that elements that stick to the window reach its end.
    await page.setViewportSize({ width, height: Math.min(Math.max(height, 800), tallest) })
    await page.screenshot({ path: file })
    await page.setViewportSize({ width, height: 800 })
  }
  await page.context().close()
}
