/** Messages as their receivers get them, over real sockets. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, suite, test } from 'node:test'
import { SmtpSink } from '@imapfleet/local/in-tests'
import type { MailChannel } from './channels.ts'
import type { AlertChange } from './content.ts'
import { hookListener, type HookListener } from './listener.test-support.ts'
import { sendMessage, type OutgoingMessage } from './send.ts'

const filter = { name: 'events', severities: [], regions: [] }
const now = Date.parse('2026-03-01T03:12:41Z')
const options = { consoleUrl: 'https://fleet.example.org', now }

const opened = (said: Partial<AlertChange['alert']> = {}): AlertChange => ({
  change: 'opened',
  alert: {
    ...{ id: 17, rule: 'upstream-down', severity: 'page', title: 'Mail server down' },
    ...{ region: 'eu', edge: 'eu-1', subject: 'eu-1/main', text: 'eu-1 cannot reach the mail server main' },
    ...{ since: '2026-03-01T03:10:38.000Z', openedAt: '2026-03-01T03:12:40.000Z', resolvedAt: null },
    ...{ acknowledged: null, action: 'Check the mail server.' },
    ...said,
  },
})
const message = (...changes: AlertChange[]): OutgoingMessage => ({
  id: '7b7c1d3c-6a0b-4f0e-9f3e-0d9b8a1c2d3e',
  at: new Date('2026-03-01T03:12:40Z'),
  content: { kind: 'changes', changes },
})
const testMessage: OutgoingMessage = { ...message(), content: { kind: 'test', by: 'ann' } }

suite('a webhook', () => {
  let listener: HookListener
  beforeEach(async () => {
    listener = await hookListener()
  })
  afterEach(async () => await listener.close())

  const secret = Buffer.from('sixteen bytes...')
  const hook = () => ({ ...filter, kind: 'webhook', url: `${listener.url}/hook?key=k`, secret }) as const

  test('gets the documented JSON, signed over its id, time and bytes', async () => {
    assert.deepEqual(await sendMessage(hook(), message(opened()), options), { ok: true })
    const [got] = listener.received
    assert.ok(got)
    assert.deepEqual([got.method, got.path], ['POST', '/hook?key=k'])
    const { alert } = opened()
    assert.deepEqual(JSON.parse(got.body), {
      schema: 'imapfleet.alerts.v1',
      id: '7b7c1d3c-6a0b-4f0e-9f3e-0d9b8a1c2d3e',
      at: '2026-03-01T03:12:40.000Z',
      isTest: false,
      changes: [{ change: 'opened', alert: { ...alert, url: 'https://fleet.example.org/alerts?alert=17' } }],
    })
    const timestamp = String(now / 1000)
    const signed = `7b7c1d3c-6a0b-4f0e-9f3e-0d9b8a1c2d3e.${timestamp}.${got.body}`
    assert.equal(got.headers['webhook-id'], '7b7c1d3c-6a0b-4f0e-9f3e-0d9b8a1c2d3e')
    assert.equal(got.headers['webhook-timestamp'], timestamp)
    assert.equal(
      got.headers['webhook-signature'],
      `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`,
    )
  })

  test('without the address of the console there is no link, and a test message says that it is one', async () => {
    await sendMessage(hook(), message(opened()), { ...options, consoleUrl: undefined })
    await sendMessage(hook(), testMessage, options)
    const [first, second] = listener.received.map(({ body }) => JSON.parse(body) as Record<string, unknown>)
    assert.deepEqual(first?.['changes'], [opened()])
    assert.deepEqual([second?.['isTest'], second?.['changes']], [true, []])
  })

  test('an answer other than 2xx is a failure, and redirects are not followed', async () => {
    for (const status of [301, 307, 400, 410, 500]) {
      listener.answer = () => status
      assert.deepEqual(await sendMessage(hook(), message(opened()), options), {
        ok: false,
        reason: `it answered ${status}`,
      })
    }
    assert.equal(listener.received.length, 5)
    listener.answer = () => 204
    assert.deepEqual(await sendMessage(hook(), message(opened()), options), { ok: true })
  })

  test('a failure does not show the address, which can contain a secret', async () => {
    const { url } = listener
    await listener.close()
    const outcome = await sendMessage({ ...hook(), url: `${url}/secret-part` }, message(opened()), options)
    assert.ok(!outcome.ok && /ECONNREFUSED/.test(outcome.reason) && !outcome.reason.includes('secret-part'))
  })

  test('a chat gets one text; texts of edges in it neither mention users nor make links', async () => {
    const hostile = opened({ text: 'eu-1 <!channel> @here <https://evil.example|click> & more' })
    assert.deepEqual(
      await sendMessage({ ...filter, kind: 'chat', url: listener.url }, message(hostile), options),
      { ok: true },
    )
    const body = JSON.parse(listener.received[0]?.body ?? '') as Record<string, string>
    assert.deepEqual(Object.keys(body), ['text'])
    const { text = '' } = body
    assert.ok(!/[<>]|@here|&(?!amp;|lt;|gt;)/.test(text), text)
    assert.match(text, /^Opened: Mail server down \(eu-1\/main\)\nOpened: .*\(alert 17, page, region eu\)\n/)
    assert.match(text, /Check the mail server\.\nhttps:\/\/fleet\.example\.org\/alerts\?alert=17$/)
  })
})

suite('a mail', () => {
  let sink: SmtpSink
  afterEach(async () => await sink?.close())

  const channel = (said: Partial<MailChannel> = {}): MailChannel => ({
    ...filter,
    ...{ kind: 'mail', host: '127.0.0.1', port: sink.port, security: 'none', ca: undefined },
    ...{ user: undefined, password: undefined },
    ...{ from: 'imapfleet@example.org', to: ['oncall@example.org', 'boss@example.org'] },
    ...said,
  })
  test('names up to three subjects of one rule', async () => {
    sink = await SmtpSink.start()
    const edges = ['eu-1', 'eu-2', 'eu-3', 'eu-4', 'eu-5'].map((edge): AlertChange => ({
      ...opened(),
      alert: { ...opened().alert, subject: `${edge}/main` },
    }))
    for (const changes of [edges.slice(0, 3), edges])
      assert.deepEqual(await sendMessage(channel(), message(...changes), options), { ok: true })
    assert.deepEqual(
      sink.mails.map(({ text }) => headerOf(text, 'subject')),
      [
        '[imapfleet] Opened: Mail server down (eu-1/main, eu-2/main, eu-3/main)',
        '[imapfleet] Opened: Mail server down (eu-1/main, eu-2/main, eu-3/main and 2 more)',
      ],
    )
  })

  const headerOf = (text: string, name: string) =>
    new RegExp(`^${name}: (.*)$`, 'im').exec(text.replaceAll('\n ', ' '))?.[1]

  test('says in its subject what changed, and has the same Message-ID in each attempt', async () => {
    sink = await SmtpSink.start()
    const resolved: AlertChange = {
      change: 'resolved',
      alert: { ...opened().alert, resolvedAt: '2026-03-01T03:40:00.000Z' },
    }
    for (const sent of [message(opened()), message(opened()), message(opened(), resolved), testMessage])
      assert.deepEqual(await sendMessage(channel(), sent, options), { ok: true })
    const [first, second, third, fourth] = sink.mails
    assert.deepEqual(first?.to, ['oncall@example.org', 'boss@example.org'])
    assert.equal(first.from, 'imapfleet@example.org')
    assert.equal(headerOf(first.text, 'subject'), '[imapfleet] Opened: Mail server down (eu-1/main)')
    assert.equal(headerOf(first.text, 'message-id'), '<7b7c1d3c-6a0b-4f0e-9f3e-0d9b8a1c2d3e@example.org>')
    assert.equal(headerOf(first.text, 'message-id'), headerOf(second?.text ?? '', 'message-id'))
    assert.equal(headerOf(first.text, 'auto-submitted'), 'auto-generated')
    assert.match(first.text, /eu-1 cannot reach the mail server main, since 2026-03-01T03:10:38.000Z\./)
    assert.equal(
      headerOf(third?.text ?? '', 'subject'),
      '[imapfleet] Alerts: 1 opened (Mail server down), 1 resolved (Mail server down)',
    )
    assert.match(
      (third?.text ?? '').replaceAll('=\n', ''),
      /From 2026-03-01T03:12:40.000Z to 2026-03-01T03:40:00.000Z\./,
    )
    assert.equal(headerOf(fourth?.text ?? '', 'subject'), '[imapfleet] Test message')
  })

  test('a text of an edge adds no header', async () => {
    sink = await SmtpSink.start()
    const hostile = opened({ subject: 'eu-1\r\nBcc: evil@example.org', title: 'a\r\nX-Evil: 1' })
    await sendMessage(channel(), message(hostile), options)
    const { text = '' } = sink.mails[0] ?? {}
    const head = text.slice(0, text.indexOf('\n\n'))
    assert.ok(!/^(bcc|x-evil):/im.test(head), head)
    assert.deepEqual(sink.mails[0]?.to, ['oncall@example.org', 'boss@example.org'])
  })

  test('without the TLS that was asked for, neither the mail nor the password is sent', async () => {
    sink = await SmtpSink.start({ login: { user: 'imapfleet', password: 'secret' } })
    const secured = channel({ security: 'starttls', user: 'imapfleet', password: 'secret' })
    const outcome = await sendMessage(secured, message(opened()), options)
    assert.ok(!outcome.ok && /STARTTLS/i.test(outcome.reason), JSON.stringify(outcome))
    assert.ok(
      sink.commands.every((line) => !/^(AUTH|MAIL)/i.test(line)),
      sink.commands.join(),
    )
    const implicit = await sendMessage({ ...secured, security: 'tls' }, message(opened()), options)
    assert.equal(implicit.ok, false)
    assert.deepEqual(sink.mails, [])
  })

  test('what the server refuses is a failure with its answer; one refused recipient of two is a remark', async () => {
    sink = await SmtpSink.start({ refused: ['boss@example.org'] })
    assert.deepEqual(await sendMessage(channel(), message(opened()), options), {
      ok: true,
      remark: 'refused for boss@example.org',
    })
    sink.answer = '451 4.3.2 try later'
    const refused = await sendMessage(channel(), message(opened()), options)
    assert.ok(!refused.ok && refused.reason.includes('try later'), JSON.stringify(refused))
    assert.equal(sink.mails.length, 1)
  })
})
