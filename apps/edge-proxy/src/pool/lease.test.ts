import assert from 'node:assert/strict'
import { test } from 'node:test'
import { causeOf, countsAsLoginFailure, refusedByServer, refusesUser, type RefusalCause } from './lease.ts'

const answers: [status: 'NO' | 'BAD', text: string, cause: RefusalCause][] = [
  ['NO', '[AUTHENTICATIONFAILED] Authentication failed.', 'wrong-credentials'],
  ['NO', '[authenticationfailed] Authentication failed.', 'wrong-credentials'],
  ['NO', 'LOGIN failed.', 'wrong-credentials'],
  ['NO', '', 'wrong-credentials'],
  ['NO', '[ALERT] Invalid credentials (Failure)', 'wrong-credentials'],
  ['NO', '[WEBALERT https://example.org/x] Web login required.', 'wrong-credentials'],
  ['NO', '[X-UNKNOWN] no', 'wrong-credentials'],
  ['NO', '[toString] no', 'wrong-credentials'],
  ['NO', 'Login failed: [UNAVAILABLE] is only text here', 'wrong-credentials'],
  ['NO', '[UNAVAILABLES] no code of RFC 5530', 'wrong-credentials'],
  ['NO', '[EXPIRED] Your password has expired', 'expired'],
  ['NO', '[AUTHORIZATIONFAILED] You may not act as boss', 'not-authorized'],
  ['NO', '[NOPERM] IMAP is not allowed for this account', 'not-authorized'],
  ['NO', '[CONTACTADMIN] Account is disabled', 'contact-admin'],
  [
    'NO',
    '[PRIVACYREQUIRED] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.',
    'tls-required',
  ],
  ['BAD', '[PRIVACYREQUIRED] TLS first', 'tls-required'],
  ['NO', '[LIMIT] Maximum number of connections exceeded', 'limit'],
  ['NO', '[LIMIT 10] Too many', 'limit'],
  ['NO', '[OVERQUOTA] Not now', 'limit'],
  ['NO', '[UNAVAILABLE] Temporary authentication failure.', 'unavailable'],
  ['NO', '[INUSE] Mailbox is locked', 'unavailable'],
  ['NO', '[SERVERBUG] Internal error', 'unavailable'],
  ['BAD', '[SERVERBUG] Internal error', 'unavailable'],
  ['NO', '[CORRUPTION] Cannot open the mailbox', 'unavailable'],
  ['NO', '[CLIENTBUG] LOGIN is not possible now', 'bad-command'],
  ['NO', '[CANNOT] no', 'bad-command'],
  ['BAD', 'Error in IMAP command received by server.', 'bad-command'],
  ['BAD', '[AUTHENTICATIONFAILED] no', 'wrong-credentials'],
]

test('each answer to a login has exactly one cause', () => {
  for (const [status, text, cause] of answers) assert.equal(causeOf(status, text), cause, `${status} ${text}`)
})

test('only a refusal of user and secret is evidence about them, and only such refusals count towards loginFailuresMax', () => {
  const facts: Record<RefusalCause, [refusesUser: boolean, countsAsLoginFailure: boolean]> = {
    'wrong-credentials': [true, true],
    expired: [true, true],
    'not-authorized': [true, true],
    'contact-admin': [true, false],
    'tls-required': [false, false],
    limit: [false, false],
    unavailable: [false, false],
    'bad-command': [false, false],
    abandoned: [false, false],
  }
  for (const [cause, expected] of Object.entries(facts) as [RefusalCause, [boolean, boolean]][])
    assert.deepEqual([refusesUser(cause), countsAsLoginFailure(cause)], expected, cause)
})

test('the text of a BYE is in the tagged reply, with its code if that is a reason, and otherwise the code is before it', () => {
  const generic = 'Mail server is not available, try again later'
  const cases: [bye: string | undefined, cause: RefusalCause, text: string, untagged?: string[]][] = [
    [undefined, 'unavailable', `[UNAVAILABLE] ${generic}`],
    ['', 'unavailable', `[UNAVAILABLE] ${generic}`],
    ['Back at noon', 'unavailable', '[UNAVAILABLE] Back at noon'],
    ['[ALERT] Back at noon', 'unavailable', '[UNAVAILABLE] Back at noon', ['* NO [ALERT] Back at noon']],
    ['[WEBALERT x] Look', 'unavailable', '[UNAVAILABLE] Look', ['* NO [WEBALERT x] Look']],
    ['[unavailable] Back at noon', 'unavailable', '[unavailable] Back at noon'],
    ['[LIMIT] Too many', 'limit', '[LIMIT] Too many'],
    ['[CONTACTADMIN]', 'unavailable', `[UNAVAILABLE] ${generic}`, ['* NO [CONTACTADMIN]']],
    ['[CAPABILITY IMAP4rev1] Bye', 'unavailable', '[UNAVAILABLE] Bye'],
    // A cut connection does not mean that the password is wrong.
    ['[AUTHENTICATIONFAILED] x', 'unavailable', '[UNAVAILABLE] x', ['* NO [AUTHENTICATIONFAILED] x']],
    ['[broken', 'unavailable', '[UNAVAILABLE] [broken'],
  ]
  for (const [bye, cause, text, untagged] of cases) {
    const opened = { kind: 'unavailable', reason: 'bye', detail: 'd', untagged: [] } as const
    const { logText, ...refused } = refusedByServer({ ...opened, ...(bye !== undefined && { bye }) })
    assert.deepEqual(refused, { kind: 'refused', status: 'NO', cause, text, ...(untagged && { untagged }) })
    // The text may repeat a secret. The detail does not.
    assert.ok(bye === undefined || logText.endsWith(' d'))
  }
})

test('untagged lines before a refusal reach the client, without a BYE of the server', () => {
  const refused = refusedByServer({
    kind: 'login-refused',
    status: 'NO',
    text: 'no',
    logText: 'no',
    untagged: ['* NO [WEBALERT x] look', '* BYE too many failures'],
    ids: { sent: false, refused: [] },
  })
  assert.deepEqual(refused.untagged, ['* NO [WEBALERT x] look', '* NO too many failures'])
})
