import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bucketCount } from '@imapfleet/observe'
import { histogramSchema } from './histogram.ts'

test('every bucket number is accepted, and nothing else', () => {
  const accepted = (bucket: string) => histogramSchema.safeParse({ sum: 0, counts: { [bucket]: 1 } }).success
  for (let bucket = 0; bucket < bucketCount; bucket++) assert.ok(accepted(String(bucket)), String(bucket))
  for (const other of ['-1', '01', '1.5', 'x', '1000', '', String(bucketCount)])
    assert.ok(!accepted(other), other)
})
