/**
 * Alerts with two replicas of control, and real receivers: a webhook and a mail server with STARTTLS and a login. One replica is
 * killed while it sends. Each message is accepted once, and none is lost.
 */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, suite, test } from 'node:test'
import type { AlertChannelView, AlertDetail, AlertRuleView, AlertView } from '@imapfleet/api'
import {
  removeTemporaryDirectory,
  repository,
  SmtpSink,
  temporaryDirectory,
  type ControlProcess,
} from '@imapfleet/local'
import { Authority } from '../support/certs.ts'
import { runCommand } from '../support/command.ts'
import { printed } from '../support/documents.ts'
import { Plane } from '../support/plane.ts'
import { until } from '../support/until.ts'

interface Hook {
  id: string
  body: { changes: { change: string; alert: { rule: string; subject: string; url?: string } }[] }
}

const key = 'sixteen bytes at least'

suite('messages about alerts', () => {
  const directory = temporaryDirectory('alert-messages')
  let plane: Plane
  let replica: ControlProcess
  let sink: SmtpSink
  let server: Server
  let pings = 0
  const accepted: Hook[] = []
  /** The next request gets no answer. Its id becomes `held`. */
  let isHolding = false
  let held: string | undefined

  before(async () => {
    const authority = await Authority.make(directory)
    const { certFile, keyFile } = await authority.issue('sink', 'IP:127.0.0.1')
    const tls = { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') }
    sink = await SmtpSink.start({ tls, login: { user: 'imapfleet', password: 'pass word' } })
    server = createServer((request, response) => {
      let text = ''
      request.on('data', (bytes: Buffer) => (text += bytes.toString()))
      request.on('end', () => {
        if (request.url === '/dead-man') pings++
        else {
          const id = String(request.headers['webhook-id'])
          const signed = `${id}.${String(request.headers['webhook-timestamp'])}.${text}`
          const signature = createHmac('sha256', key).update(signed).digest('base64')
          assert.equal(request.headers['webhook-signature'], `v1,${signature}`)
          if (isHolding) {
            isHolding = false
            held = id
            return
          }
          accepted.push({ id, body: JSON.parse(text) as Hook['body'] })
        }
        response.end()
      })
    })
    const listening = Promise.withResolvers<void>()
    server.listen(0, '127.0.0.1', listening.resolve)
    await listening.promise
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    writeFileSync(`${directory}/key`, key)
    writeFileSync(`${directory}/password`, 'pass word\n')
    writeFileSync(
      `${directory}/alerts.yaml`,
      JSON.stringify({
        channels: {
          hook: { kind: 'webhook', url: `${url}/hook`, secretFile: 'key' },
          oncall: {
            ...{
              kind: 'mail',
              host: '127.0.0.1',
              port: sink.port,
              user: 'imapfleet',
              passwordFile: 'password',
            },
            ...{ caFile: authority.caFile, from: 'imapfleet@example.org', to: ['oncall@example.org'] },
          },
        },
        deadManUrl: `${url}/dead-man`,
        consoleUrl: 'https://fleet.example.org',
      }),
    )
    const environment = { ALERTS_FILE: `${directory}/alerts.yaml` }
    plane = await Plane.start({ environment })
    replica = await plane.replica(environment)
    for (const rule of ['edge-silent', 'control-down'])
      await plane.api(`/v1/alert-rules/${rule}`, { body: { holdSeconds: 0, clearSeconds: 0 } })
    // What simulated edges lack is not the subject here.
    await plane.api('/v1/alert-rules/ingest-stands', { body: { enabled: false } })
  })
  after(async () => {
    await plane?.stop()
    server?.closeAllConnections()
    server?.close()
    await sink?.close()
    await removeTemporaryDirectory(directory)
  })

  const alertsOf = async (query: string) =>
    ((await plane.api(`/v1/alerts?${query}`)).body as { alerts: AlertView[] }).alerts
  const hooksAbout = (subject: string, change: string) =>
    accepted.filter(({ body }) =>
      body.changes.some((each) => each.change === change && each.alert.subject === subject),
    )
  const mailsAbout = (subject: string) => sink.mails.filter(({ text }) => text.includes(`(${subject})`))
  const unsent = async (channel = '%') =>
    Number(
      (
        await plane.sql`
          select count(*) from alert_messages where state <> 'sent' and channel like ${channel}`
      )[0]?.['count'],
    )

  test('an edge that falls silent is told once by webhook and mail, and its return as well', async () => {
    const edge = await plane.edge('eu', 'eu-1')
    edge.beat({ heartbeatMs: 200 })
    await until('the alert', async () => (await alertsOf('state=open&edge=eu-1')).length === 1, 60_000)
    await until('the webhook', () => hooksAbout('eu-1', 'opened').length > 0)
    await until('the mail', () => mailsAbout('eu-1').length > 0)
    const [hook] = hooksAbout('eu-1', 'opened')
    const alert = hook?.body.changes[0]?.alert
    assert.equal(alert?.rule, 'edge-silent')
    assert.match(alert.url ?? '', /^https:\/\/fleet\.example\.org\/alerts\?alert=\d+$/)
    const [mail] = mailsAbout('eu-1')
    assert.deepEqual([mail?.isSecure, mail?.user, mail?.to], [true, 'imapfleet', ['oncall@example.org']])

    edge.beat({ heartbeatMs: 600_000 })
    await until('its end', () => hooksAbout('eu-1', 'resolved').length > 0, 60_000)
    await until('its end by mail', () => mailsAbout('eu-1').length > 1)
    assert.equal(hooksAbout('eu-1', 'opened').length, 1)
    assert.equal(hooksAbout('eu-1', 'resolved').length, 1)
    assert.equal(mailsAbout('eu-1').length, 2)
  })

  test("the dead man's webhook is pinged while control works", async () => {
    await until('a ping', () => pings > 0, 60_000)
  })

  test('a replica that dies while it sends loses nothing, and nothing is accepted twice', async () => {
    isHolding = true
    const made = await plane.api('/v1/alert-channels/hook/test', { method: 'POST' })
    assert.equal(made.status, 201)
    await plane.api('/v1/alert-channels/hook/test', { method: 'POST' })
    await plane.api('/v1/alert-channels/oncall/test', { method: 'POST' })
    const interrupted = await until('a message on its way', () => held)
    // A mail that was accepted, and not yet noted, would be sent again.
    await until('the mail', async () => (await unsent('oncall')) === 0)
    const holder = String(
      (await plane.sql`select holder from leases where name = 'alert-messages'`)[0]?.['holder'],
    )
    const both = [plane.control, replica] as const
    const sender = both.find(({ process }) => holder.endsWith(`/${process.pid}`))
    const other = both.find((each) => each !== sender)
    assert.ok(sender && other)
    await sender.process.kill()
    await until('the interrupted message', () => accepted.some(({ id }) => id === interrupted), 60_000)
    await until('the rest', async () => (await unsent()) === 0, 60_000)
    const ids = accepted.map(({ id }) => id)
    assert.equal(new Set(ids).size, ids.length, 'each was accepted once')
    const stored = await plane.sql`select id from alert_messages where channel = 'hook'`
    assert.deepEqual(new Set(ids), new Set(stored.map((row) => String(row['id']))))
    assert.equal(sink.mails.filter(({ text }) => text.includes('Test message')).length, 1)

    // The other replica also reports that the first one died.
    const ask = async (path: string) => await plane.api(path, { of: other })
    const down = await until(
      'the alert about the dead process',
      async () => {
        const { body } = await ask('/v1/alerts?state=open&rule=control-down')
        return (body as { alerts: AlertView[] }).alerts[0]
      },
      120_000,
    )
    const detail = await until('its messages', async () => {
      const { messages } = (await ask(`/v1/alerts/${down.id}`)).body as AlertDetail
      return messages.length === 2 && messages.every(({ state }) => state === 'sent') ? messages : undefined
    })
    assert.deepEqual(detail.map(({ channel }) => channel).toSorted(), ['hook', 'oncall'])
    // A busy machine can need more time than a start has.
    await until('the restart', async () => await sender.process.start().then(() => true), 120_000)
    await until('its end', () => hooksAbout(down.subject, 'resolved').length === 1, 60_000)
  })

  test('an operator sees that a channel fails, and no secret', async () => {
    sink.answer = '550 5.7.1 not from you'
    await plane.api('/v1/alert-channels/oncall/test', { method: 'POST' })
    const channels = await until('the problem', async () => {
      const list = ((await plane.api('/v1/alert-channels')).body as { channels: AlertChannelView[] }).channels
      return list.find(({ name }) => name === 'oncall')?.problem ? list : undefined
    })
    assert.match(channels.find(({ name }) => name === 'oncall')?.problem ?? '', /not from you/)
    const { problems } = (await plane.api('/v1/alerts')).body as { problems: string[] }
    assert.match(problems.join(), /^The channel oncall has a problem: .*not from you/)
    sink.answer = undefined
    const logs = ['control'].map((name) => readFileSync(`${plane.ground.directory}/logs/${name}.log`, 'utf8'))
    const audit = JSON.stringify((await plane.api('/v1/audit?limit=500')).body)
    for (const secret of [key, 'pass word', '/dead-man'])
      assert.ok(![...logs, audit, JSON.stringify(channels)].some((text) => text.includes(secret)), secret)
  })

  test('the commands of the documentation work as printed', async () => {
    // They are about this alert and this silence.
    await plane.sql`
      insert into alerts (id, rule, subject, text, state, since, opened_at)
      values (17, 'edge-problems', 'documented', 'x', 'open', now(), now())`
    await plane.sql`select setval('alert_silences_id_seq', 2)`
    const env = { IMAPFLEET_SERVER: plane.control.api, IMAPFLEET_TOKEN: plane.token }
    for (const first of ['imapfleet alerts test oncall', 'imapfleet alerts'])
      for (const command of printed('docs/alerts.md', first)) {
        const said = await runCommand('sh', ['-c', `PATH=${repository}:$PATH; ${command}`], { env })
        assert.equal(said.status, 0, `${command}: ${said.stderr}`)
      }
    const rules = ((await plane.api('/v1/alert-rules')).body as { rules: AlertRuleView[] }).rules
    const find = (name: string) => rules.find((rule) => rule.name === name)
    assert.deepEqual([find('edge-problems')?.enabled, find('clock-skew')?.isChanged], [false, false])
  })
})
