import assert from 'node:assert/strict'
import { PassThrough, Writable } from 'node:stream'
import { test } from 'node:test'
import { keysIn, openScreen } from './screen.ts'
import { widthOf } from './window.ts'

test('keys are named, and unknown sequences are not keys', () => {
  assert.deepEqual(keysIn('aé/\x1b[A\x1bOB\x1b[5~\x1b[6~\r\x7f\x03'), [
    ...['a', 'é', '/', 'up', 'down', 'page-up', 'page-down', 'enter', 'backspace', 'ctrl-c'],
  ])
  assert.deepEqual(keysIn('\x1b'), ['escape'])
  assert.deepEqual(keysIn('\x1b[24~\x1b[1;5C\x01x'), ['x'])
  assert.deepEqual(keysIn(''), [])
})

test('a terminal of unknown size is treated as one of 80 columns', () => {
  const window = (columns: number, rows: number) => ({ columns, rows, isTTY: true })
  let shown = ''
  const written = new Writable({
    write: (chunk, _encoding, done) => {
      shown += String(chunk)
      done()
    },
  })
  const stdout = Object.assign(written, window(0, 0))
  const stdin = Object.assign(new PassThrough(), { isTTY: false })
  const streams = { stdin, stdout } as unknown as Parameters<typeof openScreen>[0]
  const screen = openScreen(streams, () => undefined)
  screen.draw((rows) => [`${rows} rows`, 'x'.repeat(80)])
  screen.close()
  assert.match(shown, /23 rows/)
  assert.match(shown, /x{80}/)
  assert.equal(widthOf(window(132, 40)), 132)
})
