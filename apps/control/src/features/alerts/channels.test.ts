import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { after, suite, test } from 'node:test'
import { removeTemporaryDirectory, temporaryDirectory } from '@imapfleet/local/in-tests'
import { channelTarget, readAlerting } from './channels.ts'

suite('the file of channels', () => {
  const directory = temporaryDirectory('alerts')
  after(async () => await removeTemporaryDirectory(directory))

  const read = (text: string) => {
    writeFileSync(`${directory}/alerts.yaml`, text)
    return readAlerting(`${directory}/alerts.yaml`, (problem) => new Error(problem))
  }
  const write = (name: string, text: string) => writeFileSync(`${directory}/${name}`, text)

  test('has channels of each kind, with secrets in files beside it', () => {
    write('smtp-password', 'pass word\n')
    write('chat-url', 'https://chat.example.org/hooks/secret-part\n')
    write('webhook-secret', `whsec_${Buffer.from('twenty-four bytes of key').toString('base64')}\n`)
    write('dead-man-url', 'https://ping.example.org/secret-part\n')
    const alerting = read(`
channels:
  oncall:
    kind: mail
    host: mail.example.org
    user: imapfleet
    passwordFile: smtp-password
    from: imapfleet@example.org
    to: [oncall@example.org]
    severities: [page]
  chat: { kind: chat, urlFile: chat-url, regions: [eu] }
  events: { kind: webhook, url: 'https://events.example.org/in', secretFile: webhook-secret }
deadManUrlFile: dead-man-url
consoleUrl: https://fleet.example.org/
`)
    const [oncall, chat, events] = alerting.channels
    assert.ok(oncall?.kind === 'mail' && chat?.kind === 'chat' && events?.kind === 'webhook')
    assert.deepEqual([oncall.port, oncall.security, oncall.password], [587, 'starttls', 'pass word'])
    assert.deepEqual([oncall.severities, chat.regions], [['page'], ['eu']])
    assert.equal(chat.url, 'https://chat.example.org/hooks/secret-part')
    assert.equal(events.secret.toString(), 'twenty-four bytes of key')
    assert.equal(alerting.deadManUrl, 'https://ping.example.org/secret-part')
    assert.equal(alerting.consoleUrl, 'https://fleet.example.org')
    assert.deepEqual(alerting.channels.map(channelTarget), [
      'oncall@example.org',
      'chat.example.org',
      'events.example.org',
    ])
  })

  test('can be empty', () => {
    assert.deepEqual(read('').channels, [])
  })

  const mail = 'kind: mail, host: h, from: a@example.org, to: [b@example.org]'
  for (const [what, text, problem] of [
    ['no YAML', 'channels: [', /line 1/],
    ['an unknown key', 'channel: {}', /channel/],
    ['an unknown kind', 'channels: { a: { kind: pager } }', /channels\.a\.kind/],
    ['a name with blanks', 'channels: { "a b": { kind: chat, url: "http://h/" } }', /channels\.a b/],
    ['no address', 'channels: { a: { kind: chat } }', /must have either url or urlFile/],
    ['two addresses', 'channels: { a: { kind: chat, url: "http://h/", urlFile: f } }', /must have either/],
    ['another scheme', 'channels: { a: { kind: chat, url: "file:///etc/passwd" } }', /must be an http/],
    ['a user in the address', 'channels: { a: { kind: chat, url: "http://u:p@h/" } }', /without a user/],
    ['a webhook without a key', 'channels: { a: { kind: webhook, url: "http://h/" } }', /secretFile/],
    [
      'a short key',
      'channels: { a: { kind: webhook, url: "http://h/", secretFile: short } }',
      /at least 16 bytes/,
    ],
    ['a missing file', 'channels: { a: { kind: chat, urlFile: nowhere } }', /cannot read nowhere/],
    ['a file without an address', 'channels: { a: { kind: chat, urlFile: short } }', /short: must contain/],
    ['a user without a password', `channels: { a: { ${mail}, user: u } }`, /both user and passwordFile/],
    [
      'a password without TLS',
      `channels: { a: { ${mail}, user: u, passwordFile: short, security: none } }`,
      /without TLS/,
    ],
    [
      'no recipient',
      'channels: { a: { kind: mail, host: h, from: a@example.org, to: [] } }',
      /channels\.a\.to/,
    ],
    [
      'an unknown severity',
      'channels: { a: { kind: chat, url: "http://h/", severities: [red] } }',
      /severities/,
    ],
    ['two dead man’s addresses', 'deadManUrl: "http://h/"\ndeadManUrlFile: short', /both/],
  ] as const)
    test(`is refused with ${what}`, () => {
      write('short', 'secret-part')
      assert.throws(
        () => read(text),
        (error: Error) => problem.test(error.message) && !error.message.includes('secret-part'),
      )
    })
})
