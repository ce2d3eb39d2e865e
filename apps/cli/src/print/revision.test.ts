import assert from 'node:assert/strict'
import { test } from 'node:test'
import { layerText } from '@imapfleet/api'
import { plain } from './colour.ts'
import { changeLines } from './revision.ts'

test('a change shows the old and the new value, a new key only the new one, a removed key only the old one', () => {
  assert.deepEqual(
    changeLines(
      [
        { key: 'pool.idleTimeoutMs', before: 300_000, after: 60_000 },
        { key: 'log.level', before: null, after: 'debug' },
        { key: 'routes', before: [], after: null },
      ],
      plain,
    ),
    ['- pool.idleTimeoutMs 300000', '+ pool.idleTimeoutMs 60000', '+ log.level "debug"', '- routes []'],
  )
  assert.deepEqual(changeLines([], plain), ['no changes'])
})

test('a layer is named as in the configuration view', () => {
  assert.equal(layerText({ kind: 'global' }), 'global')
  assert.equal(layerText({ kind: 'region', name: 'eu' }), 'region/eu')
})
