import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Identification } from './identification.ts'

test('the answers before and after login are kept separately, and printed as one line', () => {
  const identification = new Identification()
  assert.deepEqual([identification.beforeLogin, identification.afterLogin], [undefined, undefined])
  identification.learnBeforeLogin(['* OK hm', '* ID NIL'])
  identification.learnAfterLogin('* id ( "name"  "Cyrus" "os" nil)\r\n')
  assert.deepEqual(identification.beforeLogin, [])
  assert.equal(identification.afterLogin, '* ID ("name" "Cyrus" "os" NIL)\r\n')
})

test('an answer that cannot be printed as one line is not kept', () => {
  const identification = new Identification()
  for (const line of [
    '* ID ("name" {6}\r\n',
    '* ID ("name")\r\n',
    '* ID\r\n',
    `* ID ("x" "${'y'.repeat(2000)}")\r\n`,
  ]) {
    identification.learnAfterLogin('* ID ("name" "x")\r\n')
    identification.learnAfterLogin(line)
    assert.equal(identification.afterLogin, undefined, line)
  }
  identification.learnBeforeLogin(['* ID ("name" "x")'])
  identification.learnBeforeLogin([])
  assert.deepEqual(identification.beforeLogin, [['name', 'x']])
})
