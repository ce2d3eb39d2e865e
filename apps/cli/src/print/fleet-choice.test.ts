import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LiveEdge } from '@imapfleet/api'
import { firstChoice, press } from './fleet-choice.ts'

const edges = ['eu', 'us'].flatMap((region) =>
  [1, 2].map((index) => ({ id: `${region}-${index}`, region }) as LiveEdge),
)

/** What these keys make of the choice, with 20 edges in view. */
function after(...keys: string[]) {
  const choice = firstChoice('problems')
  const used = keys.map((key) => press(choice, key, { edges: [...edges, ...edges], visible: 3 }))
  return { ...choice, used: used.every(Boolean) }
}

test('keys scroll within the list', () => {
  assert.equal(after('down', 'j').top, 2)
  assert.equal(after('up').top, 0)
  assert.equal(after('page-down', 'page-down', 'k').top, 5)
  assert.equal(after('end').top, 8)
  assert.equal(after('end', 'home').top, 0)
  assert.equal(after(' ', 'b').top, 0)
})

test('a filter accepts every letter, also letters that are keys; q does not quit while a filter is typed', () => {
  const typed = after('/', 'q', 's', 'x', 'backspace', ' ', '?')
  assert.deepEqual(
    [typed.filter, typed.isTyping, typed.used, typed.sorting],
    ['qs ?', true, true, 'problems'],
  )
  assert.deepEqual(
    [after('/', 'a', 'enter'), after('/', 'a', 'escape'), after('/', 'a', 'enter', 'escape')].map((each) => [
      each.filter,
      each.isTyping,
    ]),
    [
      ['a', false],
      ['', false],
      ['', false],
    ],
  )
  assert.equal(after('down', 'down', '/', 'a').top, 0)
})

test('keys sort, choose a region and open the help, which any key closes', () => {
  assert.deepEqual(
    [after('e').sorting, after('n').sorting, after('s', 'p').sorting],
    ['errors', 'edge', 'problems'],
  )
  assert.deepEqual(
    [after('g').region, after('g', 'g').region, after('g', 'g', 'g').region],
    ['eu', 'us', undefined],
  )
  assert.deepEqual([after('?').isHelp, after('?', 'q').isHelp, after('?', 'q').used], [true, false, true])
  assert.equal(after('q').used, false)
  assert.equal(after('constructor').used, false)
})
