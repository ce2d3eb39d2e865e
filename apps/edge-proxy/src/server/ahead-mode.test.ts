import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aheadMode, isMetered } from './ahead-mode.ts'

test('with auto, answer-ahead is off for providers that meter commands', () => {
  const metered = [
    ...['imap.gmail.com', 'IMAP.Gmail.com.', 'imap.googlemail.com', 'outlook.office365.com'],
    ...['imap-mail.outlook.com', 'outlook.office.com', 'partner.outlook.cn', 'outlook.office365.us'],
  ]
  for (const host of metered) {
    assert.ok(isMetered(host), host)
    assert.equal(aheadMode({ ahead: 'auto', hosts: ['imap.example.com', host] }), 'off')
  }
  for (const host of [
    'imap.example.com',
    'notgmail.com',
    'gmail.com.example.org',
    '192.0.2.1',
    'localhost',
  ]) {
    assert.ok(!isMetered(host), host)
    assert.equal(aheadMode({ ahead: 'auto', hosts: [host] }), 'on')
  }
})

test('an explicit mode applies to any host', () => {
  for (const ahead of ['off', 'learn', 'on'] as const)
    for (const host of ['imap.gmail.com', 'imap.example.com'])
      assert.equal(aheadMode({ ahead, hosts: [host] }), ahead)
})
