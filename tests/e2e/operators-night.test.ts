/**
 * Four nights of an operator, with real parts: edges of two regions, Dovecot, control, its webhook, and the console. Each
 * begins with a message to the operator, and ends with the action that the command line and the console name.
 * docs/outage-at-night.md describes them.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { rm, stat } from 'node:fs/promises'
import { after, before, suite, test } from 'node:test'
import { spawnSync } from 'node:child_process'
import { text } from 'node:stream/consumers'
import {
  removeTemporaryDirectory,
  node,
  programFiles,
  startStack,
  temporaryDirectory,
  type EdgeProcess,
  type Stack,
} from '@imapfleet/local'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser, noChromium, openPage, signInOnPage } from '../support/browser.ts'
import { runCommand, type Said } from '../support/command.ts'
import { printed } from '../support/documents.ts'
import { MailServer } from '../support/mail-server.ts'
import { MailSocket } from '../support/mail-socket.ts'
import { Relay } from '../support/relay.ts'
import { listenLocally, portOf } from '../support/sockets.ts'
import { until } from '../support/until.ts'

interface Told {
  change: string
  alert: { id: number; rule: string; edge: string | null; text: string; action: string; url: string }
}

const ownMounts = ['unshare', '--user', '--map-current-user', '--keep-caps', '--mount']
/** A small disk for the state of an edge, which only the edge has. */
const withSmallDisk = (directory: string) => [
  ...[...ownMounts, 'sh', '-ec'],
  'mount -t tmpfs -o size=64k tmpfs "$0"; exec "$@"',
  directory,
]
const hasNamespaces = spawnSync(ownMounts[0] ?? '', [...ownMounts.slice(1), 'true']).status === 0

suite('an outage at night', { skip: noChromium }, () => {
  const nora = { user: 'nora', password: 'asleep' }
  const directory = temporaryDirectory('night')
  let mail: MailServer
  let relay: Relay
  let receiver: Server
  let stack: Stack
  let browser: Browser
  let page: Page
  const told: Told[] = []

  const take = async (request: IncomingMessage) => {
    told.push(...(JSON.parse(await text(request)) as { changes: Told[] }).changes)
  }

  before(async () => {
    receiver = createServer((request, response) => {
      void take(request).then(() => response.end())
    })
    await listenLocally(receiver)
    mail = await MailServer.start([{ ...nora, mailbox: 'small' }])
    relay = await Relay.to(mail.port)
    const fleet = { heartbeatMs: 500, reportIntervalMs: 500, reconcileMs: 1_000 }
    const edge = (id: string, port: number) => ({
      ...{ id, region: id.slice(0, 2) },
      config: { fleet, upstreams: { main: { port, healthChecks: 'when-quiet', healthIntervalMs: 1_000 } } },
    })
    stack = await startStack({
      directory,
      durable: false,
      upstream: { host: '127.0.0.1', port: mail.port },
      edges: [
        edge('eu-1', relay.port),
        edge('eu-2', relay.port),
        {
          ...edge('us-1', mail.port),
          ...(hasNamespaces && { runner: withSmallDisk(`${directory}/edges/us-1/state`) }),
        },
      ],
      environment: (api) => {
        const channels = {
          hook: { kind: 'webhook', url: `http://127.0.0.1:${portOf(receiver)}`, secretFile: 'key' },
        }
        writeFileSync(`${directory}/key`, 'sixteen bytes at least')
        writeFileSync(`${directory}/alerts.yaml`, JSON.stringify({ channels, consoleUrl: api }))
        return { ALERTS_FILE: `${directory}/alerts.yaml` }
      },
    })
    await cli('alerts', 'rules', 'set', 'upstream-down', '--hold', '1h', '--clear', '0s')
    await cli('alerts', 'rules', 'set', 'state-unsaved', '--hold', '0s', '--clear', '0s')
    browser = await launchBrowser()
    ;({ page } = await openPage(browser, stack.control.api))
    await page.goto('/')
    await signInOnPage(page, stack.token)
    await page.getByRole('navigation').waitFor()
  })
  after(async () => {
    await browser?.close()
    await stack?.stop()
    relay?.close()
    await mail?.stop()
    receiver?.closeAllConnections()
    receiver?.close()
    await removeTemporaryDirectory(directory)
  })

  const run = (token: string, words: string[]): Promise<Said> =>
    runCommand(node, [programFiles.cli, ...words], {
      env: { IMAPFLEET_SERVER: stack.control.api, IMAPFLEET_TOKEN: token },
    })
  /** The output of a command that succeeds. */
  const cli = async (...words: string[]): Promise<string> => {
    const { status, stdout, stderr } = await run(stack.token, words)
    assert.equal(status, 0, `${words.join(' ')}: ${stderr}`)
    return `${stdout}${stderr}`
  }
  /** The output of the commands of docs/outage-at-night.md that begin with this one, about this alert. */
  const asPrinted = async (first: string, alert = 17): Promise<string> => {
    let all = ''
    for (const command of printed('docs/outage-at-night.md', first))
      all += await cli(...command.replace(/ 17$/, ` ${alert}`).split(' ').slice(1))
    return all
  }
  const toldOf = (change: string, rule: string, edge: string) =>
    until(`${rule} of ${edge}, ${change}`, () =>
      told.find((each) => each.change === change && each.alert.rule === rule && each.alert.edge === edge),
    )
  /** What the page behind the link in a message says. */
  const details = async ({ id, url }: Told['alert']) => {
    await page.goto(url)
    const shown = page.getByRole('region', { name: `Alert ${id}` })
    await shown.getByText('What to do').waitFor()
    return shown
  }
  const edgeNamed = (id: string): EdgeProcess => {
    const found = stack.edges.find((each) => each.id === id)
    if (!found) throw new Error(`no edge ${id}`)
    return found
  }
  const login = async (id: string): Promise<string> => {
    const client = await MailSocket.greeted({ port: edgeNamed(id).imapPort })
    const { status, text: words } = await client.command(`LOGIN ${nora.user} ${nora.password}`)
    await client.close()
    return `${status} ${words}`
  }

  test('a mail server is down in one region: the alert says where, and that nothing was changed', async () => {
    assert.match(await login('eu-1'), /^OK/)
    relay.cut()
    await until('the command that lists alerts tells that something holds', async () =>
      /conditions? ha(?:s|ve) not lasted for the hold time/.test(await cli('alerts')),
    )
    await cli('alerts', 'rules', 'set', 'upstream-down', '--hold', '0s')
    const { alert } = await toldOf('opened', 'upstream-down', 'eu-1')
    await toldOf('opened', 'upstream-down', 'eu-2')
    assert.match(alert.text, /^eu-1 cannot reach the mail server main: 127\.0\.0\.1 port \d+: /)
    assert.match(await cli('alerts'), /eu-1 cannot reach the mail server main: [^]*alerts show \d+/)
    const said = await asPrinted('imapfleet alerts', alert.id)
    assert.match(said, /^where +eu: 2 of 2 edges, us: none of 1$/m)
    assert.match(said, /^do +Check the mail server/m)
    assert.match(said, /^changed before$/m)
    assert.doesNotMatch(said, /revision/)
    const shown = await details(alert)
    await shown.getByText('eu: 2 of 2 edges, us: none of 1').waitFor()
    await shown.getByRole('link', { name: 'eu-1', exact: true }).waitFor()
    relay.heal()
    await toldOf('resolved', 'upstream-down', 'eu-1')
    await toldOf('resolved', 'upstream-down', 'eu-2')
  })

  test('a bad revision: the alert names it, and one command or two clicks take it back', async () => {
    told.length = 0
    await cli('config', 'set', 'upstreams.main.port', '9', '--region', 'eu', '--note', 'new port')
    const { alert } = await toldOf('opened', 'upstream-down', 'eu-1')
    assert.match(await login('eu-1'), /^NO \[UNAVAILABLE\]/)
    const said = await cli('alerts', 'show', String(alert.id))
    const [, revision = '', undo = ''] =
      /revision (\d+) of region\/eu: upstreams\.main\.port 9 \(new port\), by \w+\n +to undo it: imapfleet (.+)/.exec(
        said,
      ) ?? []
    assert.deepEqual([revision, undo], ['1', 'config undo 1'], said)

    const shown = await details(alert)
    await shown.getByRole('link', { name: `revision ${revision} of region/eu` }).click()
    await page.getByRole('button', { name: 'Undo …' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('upstreams.main.port').waitFor()
    await page.keyboard.press('Escape')

    assert.match(
      await asPrinted('imapfleet config undo 1'),
      /- upstreams\.main\.port 9\n[^]*eu-1 +eu +applied/,
    )
    assert.match(await login('eu-1'), /^OK/)
    await toldOf('resolved', 'upstream-down', 'eu-1')
  })

  test('a stolen token: who uses it, what it did, and an end to all of it', async () => {
    const stolen = (await cli('tokens', 'create', 'script', '--role', 'admin', '-q')).trim()
    const thief = async (...words: string[]) => await run(stolen, words)
    await thief('config', 'set', 'log.level', 'debug', '--global')
    await thief('tokens', 'create', 'backdoor', '--role', 'admin')
    await until('its address', async () =>
      /^\S+ +script .* 127\.0\.0\.1$/m.test(await cli('tokens', '-o', 'wide')),
    )
    const ended = await asPrinted('imapfleet tokens --output wide')
    assert.match(ended, /script made the token backdoor \(\S+\), which is still valid/)
    assert.equal((await thief('edges')).status, 1)
    await cli('tokens', 'revoke', 'backdoor')
    assert.match(ended, /token\.create +backdoor/)
    const [, revision = ''] = /config\.revise +global[^\n]*"revision":(\d+)/.exec(ended) ?? []
    await cli('config', 'undo', revision)
    await page.goto('/access?tokens=all')
    const row = page.getByRole('row').filter({ has: page.getByRole('link', { name: 'script', exact: true }) })
    await row.getByText('127.0.0.1').waitFor()
    await row.getByRole('link', { name: 'script' }).click()
    await page.getByRole('cell', { name: 'token.create' }).waitFor()
  })

  test(
    'a full disk at an edge: the alert names the directory and the reason, and mail goes on',
    { skip: !hasNamespaces && 'this system allows no user namespaces' },
    async () => {
      const state = `${directory}/edges/us-1/state`
      const filler = `/proc/${edgeNamed('us-1').process.pid}/root${state}/filler`
      // Only the owner of the directory has a user id in the namespace of the edge.
      const { uid, gid } = await stat(state)
      const full = spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=1k', 'count=64'], { uid, gid })
      assert.match(String(full.stderr), /No space left/)
      await cli('config', 'set', 'pool.usesMax', '900', '--region', 'us')
      const { alert } = await toldOf('opened', 'state-unsaved', 'us-1')
      assert.match(alert.text, /state directory \S+\/us-1\/state \(ENOSPC: /)
      assert.match(alert.action, /disk/)
      assert.match(await login('us-1'), /^OK/)
      const said = await cli('alerts', 'show', String(alert.id))
      assert.match(said, /^where +us: 1 of 1 edges, eu: none of 2$/m)
      assert.match(await asPrinted('imapfleet edges show us-1'), /^problems .*ENOSPC/m)
      await (await details(alert)).getByText('ENOSPC').waitFor()
      await rm(filler)
      await toldOf('resolved', 'state-unsaved', 'us-1')
    },
  )
})
