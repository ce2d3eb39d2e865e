import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyAt, keysOfYaml } from './yaml-cursor.ts'

const text = 'log:\n  level: debug\npool:\n  # how often\n  usesMax: 5\n  \n  hosts:\n    - a\n'
const at = (part: string) => keyAt(text, text.indexOf(part) + 1)

test('the key on the line of the cursor has the names of its sections', () => {
  assert.deepEqual(
    [at('log'), at('level'), at('usesMax'), at('- a')],
    ['log', 'log.level', 'pool.usesMax', 'pool.hosts'],
  )
})

test('an empty line belongs to the section of its indentation, and the end of the text to none', () => {
  assert.equal(keyAt(text, text.indexOf('  \n') + 2), 'pool')
  assert.equal(keyAt(text, text.length), '')
})

test('all keys of a text are found', () => {
  assert.deepEqual(keysOfYaml('log:\n  level: debug\n\npool:\n  usesMax: 5\n'), [
    'log',
    'log.level',
    'pool',
    'pool.usesMax',
  ])
})
