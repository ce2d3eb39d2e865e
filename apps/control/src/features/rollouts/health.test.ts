import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FailureCounts } from '@imapfleet/api'
import { worseThan } from './health.ts'

const counted = (failedLogins: number, logins: number, failedDials = 0, dials = 0): FailureCounts => ({
  failedLogins,
  logins,
  failedDials,
  dials,
})

test('a share of failures that rises above the limit is worse, and the reason has the figures', () => {
  assert.equal(
    worseThan(counted(10, 1000), counted(20, 200), 0.05),
    '10.0 % of 200 logins fail, up from 1.0 %',
  )
  assert.equal(worseThan(counted(10, 1000), counted(10, 200), 0.05), undefined)
  assert.match(
    worseThan(counted(0, 100, 0, 50), counted(0, 100, 9, 10), 0.05) ?? '',
    /^90.0 % of 10 upstream connections/,
  )
})

test('a share of failures that was as high before is not worse', () => {
  assert.equal(worseThan(counted(500, 1000), counted(52, 100), 0.05), undefined)
})

test('too few logins are not judged, and without figures from before all failures count', () => {
  assert.equal(worseThan(counted(0, 1000), counted(19, 19), 0.05), undefined)
  assert.match(
    worseThan(counted(0, 0), counted(20, 20), 0.05) ?? '',
    /100.0 % of 20 logins fail, up from 0.0 %/,
  )
})
