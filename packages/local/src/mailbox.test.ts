import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { messagesFor, writeMaildir } from './mailbox.ts'
import { scratchGround } from './scratch.ts'

test('the same user always gets the same mails, another user others', () => {
  assert.deepEqual(messagesFor('alice', 'demo'), messagesFor('alice', 'demo'))
  assert.notDeepEqual(messagesFor('alice', 'demo')[0], messagesFor('bob', 'demo')[0])
})

test('a mailbox has mails that break proxies: every byte, a line beyond any limit, text that looks like IMAP', () => {
  const all = Buffer.concat(messagesFor('alice', 'demo').map(({ content }) => content))
  for (let byte = 1; byte < 256; byte++) assert.ok(all.includes(byte), `no byte ${byte}`)
  assert.ok(all.includes('x'.repeat(100_000)))
  assert.ok(all.includes('\r\nA1 OK LOGIN completed\r\n'))
  assert.ok(all.includes('{5}\r\n'))
  assert.ok(
    !all
      .toString('latin1')
      .replaceAll('\r\n', '')
      .match(/[\r\n]/),
    'every line ends in CRLF',
  )
})

test('a Maildir is written once, is readable only by its owner, and never replaces existing mail', () => {
  const { directory } = scratchGround()
  const maildir = `${directory}/Maildir`
  writeMaildir(maildir, () => messagesFor('alice', 'demo'))
  const files = readdirSync(`${maildir}/cur`)
  assert.equal(files.length, 9)
  assert.deepEqual(readdirSync(`${maildir}/.Sent/cur`).length, 1)
  const first = `${maildir}/cur/${files[0]}`
  assert.equal(statSync(first).mode & 0o077, 0)
  writeFileSync(first, 'mine')
  writeMaildir(maildir, () => assert.fail('mail was made for a mailbox that is there'))
  assert.equal(readFileSync(first, 'utf8'), 'mine')
})
