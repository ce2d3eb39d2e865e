/**
 * `npm run screenshots`: runs a real fleet with traffic and takes screenshots of its console for docs/screenshots.
 * `--seconds N`: duration of the traffic. `--every DIRECTORY`: instead, takes every page in light and dark, wide and narrow,
 * for development; with `--fleet N`, of a simulated fleet of this size, 0 for none.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { repository, startStack, temporaryDirectory, type Stack } from '@imapfleet/local'
import type { Browser } from 'playwright-core'
import { launchBrowser } from '../support/browser.ts'
import { narrow, photograph, wide } from './photograph.ts'
import { shots } from './shots.ts'
import { photographSimulated } from './simulated.ts'
import { clickAround, stay } from './traffic.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '300' },
    every: { type: 'string' },
    fleet: { type: 'string' },
  },
})
const names = ['anna', 'ben', 'chloe', 'david', 'emma', 'felix', 'greta', 'hugo', 'ida', 'jonas']
const users = names.map((name) => ({
  user: `${name}@example.org`,
  password: `demo-${name}`,
  mailbox: 'small' as const,
}))
/** Screenshots for documents are cut, to keep the files small. */
const tallestOfDocuments = 1_000
const tallest = 20_000

const browser = await launchBrowser()
try {
  if (values.every !== undefined && values.fleet !== undefined)
    await photographSimulated(browser, values.every, Number(values.fleet))
  else await photographReal(browser)
} finally {
  await browser.close()
}

async function photographReal(by: Browser): Promise<void> {
  const directory = temporaryDirectory('screenshots')
  const config = { fleet: { heartbeatMs: 1_000, reportIntervalMs: 2_000 } }
  const edges = ['eu-1', 'eu-2', 'us-1', 'us-2'].map((id) => ({ id, region: id.slice(0, 2), config }))
  const stack = await startStack({ directory, edges, durable: false, dovecot: { users } })
  try {
    const token = await stack.control.createToken('marie', 'admin')
    const demo = stack.dovecot?.users ?? []
    const ports = stack.edges.map(({ imapPort }) => imapPort)
    const traffic = clickAround([...demo, ...users], ports)
    const [alice] = demo
    const stayed = await Promise.all(
      ports.slice(0, 2).map(async (port) => (alice ? await stay(alice, port) : undefined)),
    )
    await pause(Number(values.seconds) * 1000)
    await operate(stack, token)
    const of = { by, origin: stack.control.api, token, shots }
    await (values.every === undefined ? forDocuments(of) : forEyes(of, values.every))
    await traffic.stop()
    await Promise.all(stayed.map(async (client) => await client?.kill()))
  } finally {
    await stack.stop()
  }
}

/** Typical actions of operators. */
async function operate({ control }: Stack, token: string): Promise<void> {
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

type Subject = Pick<Parameters<typeof photograph>[0], 'by' | 'origin' | 'token' | 'shots'>

async function forDocuments(of: Subject): Promise<void> {
  const into = `${repository}/docs/screenshots`
  await mkdir(into, { recursive: true })
  const taken = { ...of, tallest: tallestOfDocuments }
  await photograph({ ...taken, fileOf: (name) => `${into}/${name}.png` }, wide)
  const overview = (suffix: string) => (name: string) =>
    name === 'overview' ? `${into}/${name}-${suffix}.png` : undefined
  await photograph({ ...taken, fileOf: overview('dark') }, { ...wide, colours: 'dark' })
  await photograph({ ...taken, fileOf: overview('narrow') }, narrow)
}

async function forEyes(of: Subject, into: string): Promise<void> {
  await mkdir(into, { recursive: true })
  for (const colours of ['light', 'dark'] as const)
    for (const look of [wide, narrow])
      await photograph(
        { ...of, tallest, fileOf: (name) => join(into, `${name}-${colours}-${look.width}.png`) },
        { ...look, colours },
      )
}
