import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { cutAt, everyCut, marks, wire } from './cuts.test-support.ts'
import type { ScanPosition } from './literal.ts'
import {
  ResponseScanner,
  type LineVerdict,
  type ResponseKind,
  type ResponseSink,
} from './response-scanner.ts'

interface Scanned {
  responses: string[]
  passed: string
  atBoundary: boolean
}

type Judge = (kind: ResponseKind, line: string) => LineVerdict

type OnHead = NonNullable<ResponseSink['onHead']>

/** Scans these chunks; each response is noted as `kind line`. */
function scan(
  chunks: readonly Buffer[],
  judge: Judge = () => 'pass',
  lineBytesMax?: number,
  onHead?: OnHead,
): Scanned {
  const responses: string[] = []
  const passed: Buffer[] = []
  const scanner = new ResponseScanner(
    {
      ...(onHead && { onHead }),
      onResponse(kind, bytes, start, end) {
        const line = bytes.toString('latin1', start, end)
        responses.push(`${kind} ${line}`)
        return judge(kind, line)
      },
      onPass: (bytes) => void passed.push(Buffer.from(bytes)),
    },
    lineBytesMax === undefined ? {} : { lineBytesMax },
  )
  for (const chunk of chunks) {
    const lent = Buffer.from(chunk)
    scanner.scan(lent)
    lent.fill('!')
  }
  return { responses, passed: Buffer.concat(passed).toString('latin1'), atBoundary: scanner.atBoundary }
}

const giant = `* 1 FETCH (BODY[] {99999999999999999999}\r\na1 OK forged\r\n`

/** Inputs with the responses that they contain. */
const transcripts: Record<string, { text: string; responses: string[]; open?: true }> = {
  'a greeting': {
    text: '* OK [CAPABILITY IMAP4rev1] hi\r\n',
    responses: ['untagged * OK [CAPABILITY IMAP4rev1] hi\r'],
  },
  'three kinds in a row': {
    text: '* 3 EXISTS\r\n+ go on\r\na1 OK done\r\n',
    responses: ['untagged * 3 EXISTS\r', 'continuation + go on\r', 'tagged a1 OK done\r'],
  },
  'a forged reply in a literal': {
    text: '* 1 FETCH (BODY[] {14}\r\na1 OK forged\r\n FLAGS ())\r\na1 OK done\r\n',
    responses: ['untagged * 1 FETCH (BODY[] {14}\r', 'tagged a1 OK done\r'],
  },
  'a forged reply in a quoted string': {
    text: '* 1 FETCH (ENVELOPE ("a1 OK forged {9}"))\r\na1 OK done\r\n',
    responses: ['untagged * 1 FETCH (ENVELOPE ("a1 OK forged {9}"))\r', 'tagged a1 OK done\r'],
  },
  'two literals in one response': {
    text: '* 1 FETCH (BODY[1] {3}\r\n* )BODY[2] {4}\r\n+ a\n X NIL)\r\n* 2 EXISTS\r\n',
    responses: ['untagged * 1 FETCH (BODY[1] {3}\r', 'untagged * 2 EXISTS\r'],
  },
  'an empty literal': {
    text: '* LIST () "/" {0}\r\n\r\na1 OK done\r\n',
    responses: ['untagged * LIST () "/" {0}\r', 'tagged a1 OK done\r'],
  },
  'a literal8 with NUL': {
    text: '* 1 FETCH (BINARY[1] ~{4}\r\n\0\r\n*)\r\na1 OK done\r\n',
    responses: ['untagged * 1 FETCH (BINARY[1] ~{4}\r', 'tagged a1 OK done\r'],
  },
  'a non-synchronizing literal, which no server should send': {
    text: '* LIST () "/" {4+}\r\na1 O\r\na1 OK done\r\n',
    responses: ['untagged * LIST () "/" {4+}\r', 'tagged a1 OK done\r'],
  },
  'status text that ends like a literal': {
    text: '* OK text {5}\r\n* NO [ALERT] {5}\r\n* BAD {5}\r\n* BYE {5}\r\n* PREAUTH {5}\r\n+ {5}\r\na1 NO text {5}\r\n',
    responses: [
      'untagged * OK text {5}\r',
      'untagged * NO [ALERT] {5}\r',
      'untagged * BAD {5}\r',
      'untagged * BYE {5}\r',
      'untagged * PREAUTH {5}\r',
      'continuation + {5}\r',
      'tagged a1 NO text {5}\r',
    ],
  },
  'status in lower case': {
    text: '* ok text {5}\r\n* no x {5}\r\n* bye {5}\r\n',
    responses: ['untagged * ok text {5}\r', 'untagged * no x {5}\r', 'untagged * bye {5}\r'],
  },
  'a bare line feed': {
    text: '* 1 FETCH (BODY[] {3}\n* \n)\na1 OK done\n',
    responses: ['untagged * 1 FETCH (BODY[] {3}', 'tagged a1 OK done'],
  },
  'NUL, NIL and an empty line': {
    text: '* LIST (\0) NIL NIL\r\n\r\na1 OK\r\n',
    responses: ['untagged * LIST (\0) NIL NIL\r', 'tagged \r', 'tagged a1 OK\r'],
  },
  'braces that announce nothing': {
    text: '* X {5} y\r\n* X {}\r\n* X {a}\r\n* X 5}\r\n* X {5}}\r\n* X {-5}\r\na1 OK done\r\n',
    responses: [
      'untagged * X {5} y\r',
      'untagged * X {}\r',
      'untagged * X {a}\r',
      'untagged * X 5}\r',
      'untagged * X {5}}\r',
      'untagged * X {-5}\r',
      'tagged a1 OK done\r',
    ],
  },
  'a literal over the bound': {
    text: giant,
    responses: [giant.slice(0, giant.indexOf('\n')).replace(/^/, 'untagged ')],
    open: true,
  },
  'half a line': { text: '* 1 EXISTS\r\n* 2 EXI', responses: ['untagged * 1 EXISTS\r'], open: true },
  'half a literal': {
    text: '* 1 FETCH (BODY[] {9}\r\na1 O',
    responses: ['untagged * 1 FETCH (BODY[] {9}\r'],
    open: true,
  },
  'an empty literal within a response': {
    text: '* LIST () "/" {0}\r\n',
    responses: ['untagged * LIST () "/" {0}\r'],
    open: true,
  },
  'an announced literal without any byte of it': {
    text: '* 1 FETCH (BODY[] {9}\r\n',
    responses: ['untagged * 1 FETCH (BODY[] {9}\r'],
    open: true,
  },
}

for (const [name, { text, responses, open }] of Object.entries(transcripts)) {
  test(`${name} has the same result whole, byte by byte and at every cut`, () => {
    for (const chunks of everyCut(wire(text))) {
      const scanned = scan(chunks)
      assert.deepEqual(scanned.responses, responses)
      assert.equal(scanned.atBoundary, open !== true)
      // A partial line is held back. Everything else passes unchanged.
      const held = name === 'half a line' ? text.lastIndexOf('\n') + 1 : text.length
      assert.equal(scanned.passed, text.slice(0, held))
    }
  })
}

/** Decides like a splice: blanks are shown, and a line with a complete first word is judged, except for status responses. */
const byFirstWord: OnHead = (bytes, start) => {
  const line = bytes.toString('latin1', start)
  if (/^\* +$/.test(line)) return 'show'
  return /^\* +(?:\d+ +)?[A-Z]+ /.test(line) && !/^\* +(OK|NO|BAD|BYE|PREAUTH) /i.test(line)
    ? 'judge'
    : 'hold'
}

for (const [name, { text, responses, open }] of Object.entries(transcripts)) {
  test(`${name} has the same boundaries when lines pass as they arrive`, () => {
    for (const chunks of everyCut(wire(text))) {
      const scanned = scan(chunks, () => 'pass', undefined, byFirstWord)
      assert.equal(scanned.responses.length, responses.length)
      for (const [at, response] of responses.entries())
        assert.ok(
          response.replace(/ +/g, ' ').startsWith(scanned.responses[at]!.slice(0, 11).replace(/ +/g, ' ')),
        )
      assert.equal(scanned.atBoundary, open !== true)
      assert.ok(text.startsWith(scanned.passed) && scanned.passed.length >= text.lastIndexOf('\n') + 1)
    }
  })
}

test('text that ends like an announcement of a literal announces none, also after a tag or a +, whatever follows it', () => {
  const lines = [
    'a1 OK echo {5}',
    '+ {5}',
    'a2 BAD Unknown: {12}',
    '+',
    'a3 NO {3+}',
    '* OK {4}',
    '*  NO {4}',
    '+ OK {9}',
  ]
  const text = lines.map((line) => `${line}\r\n`).join('') + '* 1 EXISTS\r\na4 OK done\r\n'
  for (const onHead of [undefined, byFirstWord])
    for (const chunks of everyCut(wire(text))) {
      const scanned = scan(chunks, () => 'pass', undefined, onHead)
      assert.deepEqual(
        scanned.responses.map((response) => response.replace(/^\w+ /, '')),
        [...lines, '* 1 EXISTS', 'a4 OK done']
          .map((line) => `${line}\r`)
          .map((line, at) => {
            // Shown blanks are judged as one.
            return at === 6 && scanned.responses[at]!.startsWith('untagged * NO')
              ? line.replace('*  ', '* ')
              : line
          }),
      )
      assert.equal(scanned.passed, text)
      assert.equal(scanned.atBoundary, true)
    }
})

test('a line passes as it arrives as soon as its beginning decides', () => {
  const steps: [string, string, boolean][] = [
    ['*', '', true],
    [' ', '* ', false],
    ['   ', '   ', false],
    ['12 FET', '', false],
    ['CH (UID 7 ', '12 FETCH (UID 7 ', false],
    [' ', ' ', false],
    ['BODY[] {1', 'BODY[] {1', false],
    ['4}\r', '4}\r', false],
    ['\na1 OK', '\na1 OK', false],
    [' forged\r\n', ' forged\r\n', false],
    [' ', ' ', false],
    [')\r\na1', ')\r\n', true],
    [' OK {5}\r\n* OK text', 'a1 OK {5}\r\n', true],
    [' {5}\r\n', '* OK text {5}\r\n', true],
  ]
  let passed = ''
  const scanner = new ResponseScanner({
    onResponse: () => 'pass',
    onHead: byFirstWord,
    onPass: (bytes) => void (passed += bytes.toString('latin1')),
  })
  for (const [arrives, passes, between] of steps) {
    passed = ''
    scanner.scan(wire(arrives))
    assert.equal(passed, passes)
    assert.equal(scanner.betweenResponses, between, arrives)
  }
})

test('a line whose beginning was shown is replaced after that beginning, and never omitted', () => {
  for (const [verdict, expected] of [
    ['omit', '* ID NIL\r\n'],
    [wire('* X\r\n'), '* X\r\n'],
  ] as const) {
    const judge: Judge = (_, line) => (line.startsWith('* ID') ? verdict : 'pass')
    const scanned = scan([wire('* '), wire('ID NIL\r\n* 1 EXISTS\r\n')], judge, undefined, byFirstWord)
    assert.equal(scanned.passed, `${expected}* 1 EXISTS\r\n`)
  }
})

test('a line that is omitted because of its beginning is omitted to its end', () => {
  const text = '* 1 EXISTS\r\n* ID ("name" {8}\r\n* ID x\r\n "v" NIL)\r\n* 2 EXISTS\r\na1 OK\r\n'
  const judge: Judge = (_, line) => (line.startsWith('* ID') ? 'omit' : 'pass')
  const onHead: OnHead = (bytes, start) => (byFirstWord(bytes, start) === 'judge' ? 'judge' : 'hold')
  for (const chunks of everyCut(wire(text)))
    assert.equal(scan(chunks, judge, undefined, onHead).passed, '* 1 EXISTS\r\n* 2 EXISTS\r\na1 OK\r\n')
})

test('blanks without an end are held in bounded memory', () => {
  let passed = 0
  const scanner = new ResponseScanner({
    onResponse: () => 'pass',
    onHead: byFirstWord,
    onPass: (bytes) => void (passed += bytes.length),
  })
  scanner.scan(wire('* '))
  for (let times = 0; times < 1000; times++) scanner.scan(Buffer.alloc(1000, ' '))
  assert.equal(passed, 1_000_002)
  assert.equal(scanner.betweenResponses, false)
})

test('another scanner can continue within a line that passes as it arrives', () => {
  const text = '* 1 FETCH (UID 7 BODY[] {14}\r\na1 OK forged\r\n)\r\na1 OK done\r\n'
  for (let cut = 0; cut <= text.length; cut++) {
    let passed = 0
    const first = new ResponseScanner({
      onResponse: () => 'pass',
      onHead: byFirstWord,
      onPass: (bytes) => void (passed += bytes.length),
    })
    first.scan(wire(text.slice(0, cut)))
    const { literal, lines } = linesOf([wire(text.slice(passed))], { position: first.position })
    assert.ok('a1 OK forged\r\n'.endsWith(literal), literal)
    assert.equal(lines.at(-1), passed === text.length ? undefined : 'a1 OK done\r none')
    assert.ok(!lines.some((line) => line.includes('forged')), lines.join())
  }
})

test('a response is omitted with its literals, and nothing else is omitted', () => {
  const text =
    '* 1 EXISTS\r\n* ID ("name" {8}\r\n* ID x\r\n "v" {2}\r\n\r\n)\r\n* 2 EXISTS\r\nE1 OK done\r\na1 OK {3}\r\n* 3 EXISTS\r\n'
  const judge: Judge = (_, line) => (/^(\* ID|E1)/.test(line) ? 'omit' : 'pass')
  for (const chunks of everyCut(wire(text)))
    assert.equal(scan(chunks, judge).passed, '* 1 EXISTS\r\n* 2 EXISTS\r\na1 OK {3}\r\n* 3 EXISTS\r\n')
})

test('a replaced line keeps its place', () => {
  const text = '* 1 EXISTS\r\n* CAPABILITY X COMPRESS=DEFLATE\r\n* 2 EXISTS\r\n* CAPABILITY Y\r\na1 OK\r\n'
  const judge: Judge = (_, line) => (line.startsWith('* CAP') ? wire('* CAPABILITY Z\r\n') : 'pass')
  for (const chunks of everyCut(wire(text)))
    assert.equal(
      scan(chunks, judge).passed,
      '* 1 EXISTS\r\n* CAPABILITY Z\r\n* 2 EXISTS\r\n* CAPABILITY Z\r\na1 OK\r\n',
    )
})

test('a chunk that passes as a whole is not copied', () => {
  const chunk = wire('* 1 EXISTS\r\n* 1 FETCH (BODY[] {3}\r\nabc)\r\na1 OK done\r\n')
  const passed: Buffer[] = []
  const scanner = new ResponseScanner({
    onResponse: () => 'pass',
    onPass: (bytes) => void passed.push(bytes),
  })
  scanner.scan(chunk)
  assert.deepEqual(
    passed.map((bytes) => bytes === chunk),
    [true],
  )
})

test('a line without an end passes as it arrives, in bounded memory', () => {
  const limit = 1024
  let passed = 0
  const scanner = new ResponseScanner(
    { onResponse: () => 'pass', onPass: (bytes) => void (passed += bytes.length) },
    { lineBytesMax: limit },
  )
  let given = 0
  for (const chunk of Array.from({ length: 200 }, () => Buffer.alloc(700, 'x'))) {
    scanner.scan(chunk)
    given += chunk.length
    assert.ok(given - passed <= limit, `${given - passed} bytes are held`)
  }
  assert.equal(scanner.atBoundary, false)
  scanner.scan(wire('\r\na1 OK done\r\n'))
  assert.equal(passed, given + '\r\na1 OK done\r\n'.length)
  assert.equal(scanner.atBoundary, true)
})

test('a literal announced at the end of a line too long to hold is found', () => {
  const limit = 64
  const long = `* 1 FETCH (${'x'.repeat(200)} BODY[] {14}\r\n`
  const text = `${long}a1 OK forged\r\n)\r\na2 OK done\r\n`
  for (const chunks of everyCut(wire(text))) {
    const scanned = scan(chunks, () => 'pass', limit)
    assert.deepEqual(
      scanned.responses.map((response) => response.slice(0, 11)),
      ['untagged * ', 'tagged a2 O'],
    )
    assert.equal(scanned.passed, text)
  }
})

test('a response is omitted completely, also if a line of it is too long to hold', () => {
  const text = `* ID (${'x'.repeat(200)} {4}\r\nabcd ${'y'.repeat(200)})\r\na1 OK done\r\n`
  for (const chunks of everyCut(wire(text))) {
    const judge: Judge = (_, line) => (line.startsWith('* ID') ? 'omit' : 'pass')
    assert.equal(scan(chunks, judge, 64).passed, 'a1 OK done\r\n')
  }
})

test('the edge may write only between responses', () => {
  const scanner = new ResponseScanner({ onResponse: () => 'pass', onPass() {} })
  const steps: [string, boolean][] = [
    ['* 1 EXISTS\r\n', true],
    ['* 2 EX', true],
    ['ISTS\r\n', true],
    ['* 1 FETCH (BODY[] {4}\r\n', false],
    ['ab', false],
    ['cd', false],
    [')', false],
    ['\r\n', true],
  ]
  for (const [text, between] of steps) {
    scanner.scan(wire(text))
    assert.equal(scanner.betweenResponses, between, text)
  }
})

/** What a LineReader receives. */
function linesOf(
  chunks: readonly Buffer[],
  options: { lineBytesMax?: number; position?: ScanPosition } = {},
) {
  const lines: string[] = []
  let literal = ''
  let passed = 0
  const scanner = new ResponseScanner(
    {
      onResponse: (kind) => (kind === 'continuation' ? 'omit' : 'pass'),
      onPass: (bytes) => void (passed += bytes.length),
    },
    {
      ...options,
      reader: {
        onLine: (bytes, start, end, size) =>
          void lines.push(`${bytes.toString('latin1', start, end)} ${size ?? 'none'}`),
        onLongLine: (bytes, start) => void lines.push(`${bytes.toString('latin1', start, start + 9)}...`),
        onLiteral: (bytes, start, end) => void (literal += bytes.toString('latin1', start, end)),
      },
    },
  )
  for (const chunk of chunks) scanner.scan(chunk)
  return { lines, literal, passed, position: scanner.position }
}

test('a reader gets every line and every literal, whatever the verdict', () => {
  const text =
    '* 1 FETCH (BODY[1] {3}\r\n* )BODY[2] {4}\r\n+ a\n X NIL)\r\n+ {5}\r\n* OK {5}\r\na1 OK done\r\n'
  for (const chunks of everyCut(wire(text))) {
    const { lines, literal } = linesOf(chunks)
    assert.deepEqual(lines, [
      '* 1 FETCH (BODY[1] {3}\r 3',
      'BODY[2] {4}\r 4',
      ' X NIL)\r none',
      '+ {5}\r none',
      '* OK {5}\r none',
      'a1 OK done\r none',
    ])
    assert.equal(literal, '* )+ a\n')
  }
})

test('a reader gets the beginning of a line too long to hold, and the literal after it', () => {
  const text = `* 1 FETCH (${'x'.repeat(200)} {6}\r\nsecret)\r\na1 OK done\r\n`
  const { lines, literal } = linesOf([wire(text.slice(0, 150)), wire(text.slice(150))], { lineBytesMax: 64 })
  assert.deepEqual(lines, ['* 1 FETCH...', ')\r none', 'a1 OK done\r none'])
  assert.equal(literal, 'secret')
})

test('another scanner can continue at the position after the passed bytes', () => {
  const text = '* 1 FETCH (BODY[1] {3}\r\n* )BODY[2] {4}\r\n+ a\n X NIL)\r\n* OK {5}\r\na1 OK done\r\n'
  const whole = linesOf([wire(text)])
  for (let cut = 0; cut <= text.length; cut++) {
    const first = linesOf([wire(text.slice(0, cut))])
    const rest = linesOf([wire(text.slice(first.passed))], { position: first.position })
    assert.deepEqual([...first.lines, ...rest.lines], whole.lines, `cut at ${cut}`)
    assert.equal(first.literal + rest.literal, whole.literal)
  }
})

test('another scanner within a long line knows whether the line ends in free text, which announces no literal', () => {
  for (const [head, literal] of [
    ['* OK ', ''],
    ['a1 NO ', ''],
    ['* 1 FETCH (X ', '* OK '],
  ] as const) {
    const text = `${head}${'x'.repeat(100)} {5}\r\n* OK done\r\n`
    const { position } = linesOf([wire(text.slice(0, 60))], { lineBytesMax: 32 })
    const rest = linesOf([wire(text.slice(60))], { position })
    assert.equal(rest.literal, literal)
    assert.deepEqual(rest.lines, [literal === '' ? '* OK done\r none' : 'done\r none'])
  }
})

test('an omitted response does not affect the position, because the client never gets it', () => {
  const scanner = new ResponseScanner({ onResponse: () => 'omit', onPass() {} })
  scanner.scan(wire('* ID ("name" {8}\r\nabc'))
  assert.equal(scanner.betweenResponses, true)
  assert.equal(scanner.atBoundary, false)
  assert.deepEqual(scanner.position, { literalLeft: 0, continues: false })
})

const body = fc.array(fc.constantFrom(...marks), { maxLength: 8 }).map((parts) => parts.join(''))
const plain = fc.stringMatching(/^[A-Za-z0-9()[\]." ]{0,20}$/)
const data = fc
  .tuple(
    plain,
    fc.array(fc.tuple(body, plain), { maxLength: 3 }),
    fc.constantFrom('', '~'),
    fc.constantFrom('\r\n', '\n'),
  )
  .map(([head, literals, tilde, eol]) => {
    const texts = literals.map(([content, rest]) => `${tilde}{${content.length}}${eol}${content} ${rest}`)
    const text = `* 1 FETCH (${head} ${texts.join('')})${eol}`
    return { text, response: `untagged ${text.slice(0, text.indexOf('\n'))}` }
  })
const line = fc
  .tuple(
    fc.constantFrom('* OK ', '* NO ', '* BYE ', '+ ', 'a1 OK ', 'a1 NO ', '* 7 EXISTS '),
    plain,
    fc.constantFrom('', ' {5} ', ' "{5}"'),
  )
  .map(([head, text, odd]) => {
    const kind = head.startsWith('*') ? 'untagged' : head.startsWith('+') ? 'continuation' : 'tagged'
    return { text: `${head}${text}${odd}\r\n`, response: `${kind} ${head}${text}${odd}\r` }
  })
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 })

test('exactly the server’s responses are found, whatever the contents of literals, at any cuts', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(data, line), { maxLength: 8 }), cuts, (responses, shares) => {
      const text = responses.map((response) => response.text).join('')
      const scanned = scan(cutAt(wire(text), shares))
      assert.deepEqual(
        scanned.responses,
        responses.map((response) => response.response),
      )
      assert.equal(scanned.passed, text)
      assert.equal(scanned.atBoundary, true)
    }),
    { seed: 1, numRuns: 1500 },
  )
})

test('any bytes are read without an exception, with the same result whole and cut, and all but the last line passes', () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.array(fc.constantFrom(...marks), { maxLength: 40 }).map((parts) => wire(parts.join(''))),
  )
  fc.assert(
    fc.property(noise, cuts, (bytes, shares) => {
      const whole = scan([bytes])
      assert.deepEqual(scan(cutAt(bytes, shares)), whole)
      const text = bytes.toString('latin1')
      assert.ok(text.startsWith(whole.passed))
      assert.ok(!text.slice(whole.passed.length).includes('\n'))
    }),
    { seed: 2, numRuns: 1500 },
  )
})
