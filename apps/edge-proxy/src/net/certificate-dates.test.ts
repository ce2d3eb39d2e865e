import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { rootCertificates } from 'node:tls'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { certificateDates, certificateProblem } from './certificate-dates.ts'
import { testCertificate, testKey } from '@imapfleet/local/test-certificate'

const directory = temporaryDirectory('dates')
const file = join(directory, 'cert.pem')
const dayMs = 86_400_000

test('the dates are those of the first certificate in the file, also after a key', () => {
  for (const text of [
    testCertificate,
    testKey + testCertificate + rootCertificates[0]!,
    `Subject: localhost\n${testCertificate}`,
  ]) {
    writeFileSync(file, text)
    const { from, until } = certificateDates('listeners.imap', file)!
    assert.deepEqual(
      [from, until].map((at) => new Date(at).getUTCFullYear()),
      [2020, 2120],
    )
  }
  writeFileSync(file, 'no certificate')
  assert.equal(certificateDates('listeners.imap', file), undefined)
})

test('a certificate that has expired, is not valid yet or expires soon is a problem, at the exact moment', () => {
  const until = Date.UTC(2026, 10, 28)
  const at = (lifetimeMs: number, wall: number) =>
    certificateProblem({ owner: 'listeners.imap', file: 'cert.pem', from: until - lifetimeMs, until }, wall)
  const long = 90 * dayMs
  assert.equal(at(long, until)?.kind, 'certificate_expired')
  assert.equal(at(long, until + long)?.kind, 'certificate_expired')
  assert.equal(
    at(long, until)?.detail,
    'listeners.imap: the certificate in cert.pem expired at 2026-11-28T00:00:00.000Z',
  )
  assert.equal(at(long, until - 1)?.kind, 'certificate_expires_soon')
  assert.equal(at(long, until - 7 * dayMs)?.kind, 'certificate_expires_soon')
  assert.equal(at(long, until - 7 * dayMs - 1), undefined)
  assert.equal(at(long, until - long), undefined)
  assert.equal(at(long, until - long - 1)?.kind, 'certificate_not_yet_valid')
  // A certificate that is valid for six days is renewed less than a week before it expires.
  assert.equal(at(6 * dayMs, until - dayMs), undefined)
  assert.equal(at(6 * dayMs, until - dayMs / 2)?.kind, 'certificate_expires_soon')
})
