import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { QuickstartScreen } from './screen.ts'

const ready = { part: 'postgres', state: 'ready', version: '18.4', place: '127.0.0.1:5432' } as const

test('without a terminal each event is one plain line', () => {
  const written: string[] = []
  const screen = new QuickstartScreen({ write: (text) => written.push(text) }, ['postgres'])
  screen.show({ part: 'postgres', state: 'starting', note: '' })
  screen.show({ part: 'postgres', state: 'starting', note: 'making a database' })
  screen.show(ready)
  screen.finish()
  assert.deepEqual(written, [
    '  Postgres      making a database\n',
    '  Postgres      ready  18.4      127.0.0.1:5432\n',
  ])
})

test('on a terminal the block is redrawn in place, with one line for each part, never wider than the terminal', () => {
  const written: string[] = []
  const output = { isTTY: true, columns: 60, write: (text: string) => written.push(text) }
  const screen = new QuickstartScreen(output, ['nats-server', 'postgres'])
  screen.show(ready)
  screen.show({ part: 'nats-server', state: 'trouble', line: `gone ${'x'.repeat(200)}\nand more` })
  screen.finish()
  const last = written.at(-1) ?? ''
  assert.ok(last.startsWith('\x1b[2A'), 'it goes up by as many lines as there are parts')
  const lines = stripVTControlCharacters(last).trimEnd().split('\n')
  assert.equal(lines.length, 2)
  assert.match(lines[0] ?? '', /^ {2}! nats-server {3}gone x+$/)
  assert.equal(lines[1], '  ✓ Postgres      18.4      127.0.0.1:5432')
  assert.ok(lines.every((line) => line.length <= 60))
  screen.show({ part: 'postgres', state: 'trouble', line: 'exited with signal SIGKILL, restarting it' })
  assert.match(
    stripVTControlCharacters(written.at(-1) ?? ''),
    /^ {2}! Postgres {6}exited with signal SIGKILL/,
  )
})
