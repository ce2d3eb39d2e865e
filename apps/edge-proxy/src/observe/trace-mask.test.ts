import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { cutAt, everyCut, marks, wire } from '../imap/cuts.test-support.ts'
import type { ScanPosition } from '../imap/literal.ts'
import { AskedCommands } from './asked-commands.ts'
import { TraceMask } from './trace-mask.ts'

/** The lines of a trace, whatever the chunks. */
function masked(
  chunks: readonly Buffer[],
  from: 'C' | 'S' = 'S',
  bodies = false,
  position?: ScanPosition,
): string[] {
  const asked = new AskedCommands(position === undefined)
  asked.ask('a1', false)
  const mask = new TraceMask(from, bodies ? undefined : asked, position)
  return chunks.flatMap((chunk) => {
    const lent = Buffer.from(chunk)
    const lines = mask.lines(lent)
    lent.fill('!')
    return lines
  })
}

const literal = (text: string) => `{${text.length}}\r\n${text}`

test('a literal is replaced by its length whole, byte by byte and at every cut', () => {
  const text = `* 1 FETCH (BODY[] ${literal('secret\r\na1 OK secret {9}\r\n')} FLAGS ())\r\na1 OK done\r\n`
  for (const chunks of everyCut(wire(text)))
    assert.deepEqual(masked(chunks), ['* 1 FETCH (BODY[] {26} [26 bytes]', ' FLAGS ())', 'a1 OK done'])
})

test('the literals of a client are replaced too', () => {
  const text = `a1 APPEND x {8+}\r\nsecret\r\n\r\na2 NOOP\r\n`
  for (const chunks of everyCut(wire(text)))
    assert.deepEqual(masked(chunks, 'C'), ['a1 APPEND x {8+} [8 bytes]', '', 'a2 NOOP'])
})

test('free text that ends like an announcement of a literal hides nothing after it', () => {
  const text = '* OK text {6}\r\n+ go {6}\r\na1 NO text {6}\r\n* 1 EXISTS\r\n'
  for (const chunks of everyCut(wire(text)))
    assert.deepEqual(masked(chunks), ['* OK text {6}', '+ go {6}', 'a1 NO text {6}', '* 1 EXISTS'])
})

test('literals are also replaced in data that looks like a status after a literal', () => {
  const text = '* 1 FETCH (X {1}\r\na) OK {6}\r\nsecret\r\na1 OK done\r\n'
  for (const chunks of everyCut(wire(text)))
    assert.deepEqual(masked(chunks), [
      '* 1 FETCH (... [1 bytes] {1} [1 bytes]',
      '... [4 bytes] {6} [6 bytes]',
      '',
      'a1 OK done',
    ])
})

test('bodies are shown unchanged if the trace includes them', () => {
  const text = `* 1 FETCH (BODY[] ${literal('Subject: x\r\n\r\nhello\r\n')})\r\n`
  assert.deepEqual(masked([wire(text)], 'S', true), [
    '* 1 FETCH (BODY[] {21}',
    'Subject: x',
    '',
    'hello',
    '',
    ')',
  ])
})

test('unknown commands of a client are hidden even if the trace includes bodies', () => {
  const known = ['a1 SETMETADATA x (/private/comment hello)', 'DONE', 'a2 UID SEARCH TEXT hello']
  const text = `${known.join('\r\n')}\r\n`
  const unknown = `W00 29 LOGIN ann {6+}\r\nsecret\r\nAGFubgBzZWNyZXQ=\r\nW00 29 LOGIN ann secret\r\n`
  for (const chunks of everyCut(wire(`${text}${unknown}${text}`))) {
    const lines = masked(chunks, 'C', true)
    assert.deepEqual([lines.slice(0, known.length), lines.slice(-known.length)], [known, known])
    assert.doesNotMatch(lines.join('\n'), /secret|ann|AGF/)
    assert.equal(lines.length, 2 * known.length + 4)
  }
})

test('a trace that begins within a literal does not show that command or response', () => {
  for (const chunks of everyCut(wire('secret\r\nsecret) {5}\r\nhello X\r\n')))
    for (const from of ['C', 'S'] as const)
      assert.deepEqual(masked(chunks, from, false, { literalLeft: 14, continues: true }), [
        '... [1 bytes] {5} [5 bytes]',
        ' ... [1 bytes]',
      ])
})

test('a trace that begins between the literals of a response hides the rest of it', () => {
  for (const chunks of everyCut(wire(' BODY[2] {8}\r\nsecret\r\n)\r\n')))
    assert.deepEqual(masked(chunks, 'S', false, { literalLeft: 0, continues: true }), [
      ' ... [7 bytes] {8} [8 bytes]',
      '... [1 bytes]',
    ])
})

test('the literals of a line that is too long to be shown are replaced, at any cut', () => {
  const long = `* 1 FETCH (ENVELOPE ("${'x'.repeat(70_000)}") BODY[] {12}\r\nsecret body!)\r\na1 OK done\r\n`
  const bytes = wire(long)
  const at = long.indexOf('{12}')
  const cuts = [
    [],
    ...Array.from({ length: 20 }, (_, index) => [(at - 8 + index) / bytes.length]),
    [0.1, 0.3, 0.5, 0.97],
  ]
  for (const shares of cuts) {
    const lines = masked(cutAt(bytes, shares))
    assert.ok(!lines.join('\n').includes('secret'), JSON.stringify(shares))
    assert.match(lines.slice(-2).join('|'), /^(?:\)|\.\.\. \[1 bytes\])\|a1 OK done$/)
    assert.ok(lines.every((line) => line.length < 5000))
  }
})

test('the literal after a client’s line that is too long to hold is replaced, at any cut', () => {
  const long = `a APPEND "${'x'.repeat(70_000)}" {12+}\r\nsecret body!\r\nb NOOP\r\n`
  const bytes = wire(long)
  const at = long.indexOf('{12')
  for (let cut = at - 4; cut < at + 12; cut++) {
    const lines = masked(cutAt(bytes, [0.2, cut / bytes.length]), 'C')
    assert.ok(!lines.join('\n').includes('secret'), String(cut))
    assert.deepEqual(lines.slice(-2), ['', 'b NOOP'])
  }
})

test('an endless line uses limited memory and a limited number of trace lines', () => {
  const mask = new TraceMask('S', new AskedCommands(true))
  let lines = 0
  for (let round = 0; round < 100; round++) lines += mask.lines(Buffer.alloc(65_536, 'x')).length
  assert.ok(lines <= 2)
})

test('no part of a body is ever shown, at any cuts', () => {
  const body = fc
    .array(fc.constantFrom(...marks.filter((mark) => mark !== '9'), 'SECRET'), { maxLength: 10 })
    .map((parts) => parts.join(''))
  const response = fc.oneof(
    fc
      .array(body, { minLength: 1, maxLength: 3 })
      .map((bodies) => `* 1 FETCH (${bodies.map((text) => `X ${literal(text)}`).join(' ')})\r\n`),
    fc.constantFrom('* OK {5}\r\n', 'a1 OK done\r\n', '* 1 FETCH (X "{5}" {3})\r\n', '+ {3}\r\n'),
  )
  const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 })
  fc.assert(
    fc.property(fc.array(response, { maxLength: 6 }), cuts, (responses, shares) => {
      const bytes = wire(responses.join(''))
      const lines = masked(cutAt(bytes, shares))
      assert.doesNotMatch(lines.join('\n'), /SECRET|LOGOUT/)
      assert.deepEqual(lines, masked([bytes]))
    }),
    { seed: 25, numRuns: 1000 },
  )
})

test('any bytes are shown without an exception, with the same result whole and cut, and no line contains a line end', () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.array(fc.constantFrom(...marks), { maxLength: 40 }).map((parts) => wire(parts.join(''))),
  )
  const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 })
  fc.assert(
    fc.property(noise, cuts, fc.constantFrom('C', 'S'), (bytes, shares, from) => {
      const lines = masked(cutAt(bytes, shares), from)
      assert.deepEqual(lines, masked([bytes], from))
      for (const line of lines) assert.ok(!line.includes('\n'))
    }),
    { seed: 26, numRuns: 1000 },
  )
})

test('a body that consists only of line feeds is shown, whatever its size', () => {
  const text = `a APPEND x {300000+}\r\n${'\n'.repeat(300_000)}\r\n`
  assert.equal(masked([wire(text)], 'C', true).length, 300_003)
})
