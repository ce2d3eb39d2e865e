import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shortageInDial, shortageInFailure, shortageInRefusal, reportsTooMany } from './shortage.ts'

test('a refused login that reports too many connections is recognized, in the words of each server', () => {
  const expected = {
    // Dovecot
    '[LIMIT] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)':
      'user-limit',
    '[UNAVAILABLE] Temporary authentication failure. [host:2026-11-28 09:00:00]': 'user-busy',
    '[INUSE] Mailbox is locked': 'user-busy',
    // Cyrus
    'Too many open connections (2 of 2 for joe)': 'user-limit',
    'Too many open connections (3 of 3 from localhost [127.0.0.1])': 'server-limit',
    // Gmail
    '[ALERT] Too many simultaneous connections. (Failure)': 'user-limit',
    '[limit] x': 'user-limit',
    '[AUTHENTICATIONFAILED] Authentication failed.': undefined,
    'LOGIN failed': undefined,
    '[ALERT] Your connection is not secure': undefined,
    'Invalid login or password, too many attempts': undefined,
    '': undefined,
  }
  for (const [text, shortage] of Object.entries(expected)) {
    assert.equal(shortageInRefusal(text), shortage, text)
    assert.equal(reportsTooMany(text), shortage?.endsWith('limit') ?? false, text)
  }
})

test('a limit on attempts is neither a shortage of connections nor a refusal of the credentials', () => {
  for (const text of [
    // Yahoo
    '[LIMIT] LOGIN Rate limit hit.',
    'Too many failed logins, try again later',
    'Too many invalid sessions',
    '[ALERT] Too many login attempts',
    'Too many login failures from your address',
    'Rate-limit exceeded',
  ]) {
    assert.equal(shortageInRefusal(text), undefined, text)
    assert.ok(reportsTooMany(text), text)
    assert.equal(shortageInFailure('bye', `* BYE ${text}`), undefined, text)
  }
  for (const text of ['Login failed, 2 attempts left', 'Too many attempts with a wrong password'])
    assert.ok(!reportsTooMany(text), text)
})

test('a connection that ends before the login may have met a limit', () => {
  for (const [reason, detail, atDial, atLogin] of [
    ['bye', '* BYE Too many connections from your address', 'server-limit', 'server-limit'],
    ['bye', '* BYE Maximum number of connections from user+IP exceeded', 'server-limit', 'user-limit'],
    ['bye', '* BYE [LIMIT] x', 'server-limit', undefined],
    ['bye', '* BYE going down', undefined, undefined],
    ['closed-by-peer', 'no greeting', 'no-greeting', undefined],
    ['reset-by-peer', 'no greeting', 'no-greeting', undefined],
    ['timed-out', 'no greeting', 'no-greeting', undefined],
    ['refused', 'connect ECONNREFUSED', undefined, undefined],
    ['unresolved', 'no such name', undefined, undefined],
    ['out-of-files', 'EMFILE', 'out-of-files', 'out-of-files'],
  ] as const) {
    assert.equal(shortageInDial({ reason, detail }), atDial, detail)
    assert.equal(shortageInFailure(reason, detail), atLogin, detail)
  }
})
