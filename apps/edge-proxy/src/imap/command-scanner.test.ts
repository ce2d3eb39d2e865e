import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { CommandScanner } from './command-scanner.ts'
import { cutAt, everyCut, marks, wire } from './cuts.test-support.ts'

const roomy = { lineBytesMax: 4096, literalBytesMax: 4096 }

interface Read {
  commands: string[]
  /** For each command, including a partial last one: the number of `+` that the client waits for. */
  continues: number[]
  violation?: string
}

/** Reads commands like a splice: bytes are dropped as soon as the scanner has moved past them. */
function read(chunks: readonly Buffer[], limits = roomy, scanner?: CommandScanner): Read {
  const commands = scanner ?? new CommandScanner(limits.literalBytesMax)
  const result: Read = { commands: [], continues: [0] }
  let command = ''
  let rest: Buffer = Buffer.alloc(0)
  for (const chunk of chunks) {
    const bytes = Buffer.concat([rest, chunk])
    let at = 0
    while (at < bytes.length) {
      const part = commands.next(bytes, at, limits.lineBytesMax)
      if (part === 'line-too-long') return { ...result, violation: part }
      if (part === 'partial-line') break
      if (part === 'line') {
        // The same line is found again until it is taken.
        assert.equal(commands.next(bytes, at, limits.lineBytesMax), 'line')
        const ending = commands.takeLine(bytes, at)
        if (ending === 'literal-too-long') return { ...result, violation: ending }
        if (ending === 'synchronizing-literal') result.continues[result.commands.length]!++
      }
      command += bytes.toString('latin1', at, commands.end)
      at = commands.end
      if (part === 'literal' || !commands.betweenCommands) continue
      result.commands.push(command)
      result.continues.push(0)
      command = ''
    }
    rest = bytes.subarray(at)
  }
  return result
}

const transcripts: Record<string, { commands: string[]; continues: number[]; rest?: string }> = {
  'a line': { commands: ['a NOOP\r\n'], continues: [0, 0] },
  'pipelined lines': { commands: ['a NOOP\r\n', 'b CAPABILITY\n', 'c LOGOUT\r\n'], continues: [0, 0, 0, 0] },
  'synchronizing literals': {
    commands: ['a LOGIN {3}\r\nb O {4}\r\nx\r\ny\r\n', 'c NOOP\r\n'],
    continues: [2, 0, 0],
  },
  'non-synchronizing literals': {
    commands: ['a LOGIN {3+}\r\nb\r\n {2+}\r\n\n\n\r\n', 'c NOOP\r\n'],
    continues: [0, 0, 0],
  },
  'an empty literal': { commands: ['a LOGIN {0}\r\n {0+}\r\n\r\n'], continues: [1, 0] },
  'a literal of commands': { commands: ['a LOGIN x {19}\r\nb LOGOUT\r\nc NOOP {5}\r\n'], continues: [1, 0] },
  'a bare line feed': { commands: ['a LOGIN {2}\n\n\n x\n'], continues: [1, 0] },
  'a client’s line that looks like a status': { commands: ['* OK {3}\r\nabc\r\n'], continues: [1, 0] },
  'an empty line, NUL and NIL': { commands: ['\r\n', 'a \0 NIL\r\n'], continues: [0, 0, 0] },
  'half a command': { commands: ['a NOOP\r\n'], continues: [0, 0], rest: 'b LOG' },
  'half a literal': { commands: ['a NOOP\r\n'], continues: [0, 1], rest: 'b LOGIN {9}\r\nx y\r\n' },
}

for (const [name, { commands, continues, rest = '' }] of Object.entries(transcripts)) {
  test(`${name}: the same result whole, byte by byte and at every cut`, () => {
    for (const chunks of everyCut(wire(commands.join('') + rest)))
      assert.deepEqual(read(chunks), { commands, continues })
  })
}

test('a line or a literal over its limit is a violation at every cut', () => {
  const limits = { lineBytesMax: 30, literalBytesMax: 10 }
  const cases: Record<string, Read['violation']> = {
    [`a ${'x'.repeat(40)}\r\n`]: 'line-too-long',
    [`a ${'x'.repeat(40)}`]: 'line-too-long',
    [`a LOGIN {2}\r\nxx ${'y'.repeat(40)}\r\n`]: 'line-too-long',
    'a LOGIN {11}\r\n': 'literal-too-long',
    'a LOGIN {11+}\r\n': 'literal-too-long',
    'a X {99999999999999999999}\r\n': 'literal-too-long',
    'a X {10+}\r\n0123456789 {10}\r\n0123456789\r\n': undefined,
    [`a ${'x'.repeat(27)}\r\n`]: undefined,
  }
  for (const [text, violation] of Object.entries(cases))
    for (const chunks of everyCut(wire(text)))
      assert.equal(read(chunks, limits).violation, violation, JSON.stringify(text))
})

test('after a refused literal, the next line begins a command', () => {
  const scanner = new CommandScanner()
  const line = wire('a APPEND x {5}\r\n')
  assert.equal(scanner.next(line, 0, 100), 'line')
  assert.equal(scanner.takeLine(line, 0), 'synchronizing-literal')
  assert.deepEqual([scanner.betweenCommands, scanner.position.literalLeft], [false, 5])
  scanner.abandonCommand()
  assert.deepEqual(read([wire('b NOOP\r\n')], roomy, scanner).commands, ['b NOOP\r\n'])
})

test('another scanner can continue from any position', () => {
  const text = wire('a LOGIN {3}\r\nb O {4+}\r\nx\r\ny\r\nc NOOP {0}\r\n\r\nd NOOP\r\n')
  const first = new CommandScanner()
  let from = 0
  for (let end = 1; end <= text.length; end++) {
    const bytes = text.subarray(from, end)
    const part = first.next(bytes, 0, roomy.lineBytesMax)
    if (part === 'partial-line') continue
    if (part === 'line') first.takeLine(bytes, 0)
    from = end
    const second = new CommandScanner(undefined, first.position)
    assert.equal(second.betweenCommands, first.betweenCommands)
    const { commands } = read([text.subarray(from)], roomy, second)
    assert.equal(commands.join(''), text.toString('latin1', from), `from ${from}`)
  }
  assert.equal(from, text.length)
})

const text = fc.stringMatching(/^[A-Za-z0-9 "()*%]{0,12}$/)
const content = fc.array(fc.constantFrom(...marks), { maxLength: 8 }).map((parts) => parts.join(''))
const command = fc
  .tuple(
    text,
    fc.array(fc.tuple(content, fc.boolean(), text), { maxLength: 3 }),
    fc.constantFrom('\r\n', '\n'),
  )
  .map(([head, literals, eol]) => {
    const parts = literals.map(
      ([bytes, plus, rest]) => `{${bytes.length}${plus ? '+' : ''}}${eol}${bytes}${rest}`,
    )
    return {
      text: `${head}${parts.join('')}${eol}`,
      waits: literals.filter(([, plus]) => !plus).length,
    }
  })
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 })

test('exactly the client’s commands are found, whatever the contents of literals, at any cuts', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 6 }), cuts, (commands, shares) => {
      const texts = commands.map((one) => one.text)
      assert.deepEqual(read(cutAt(wire(texts.join('')), shares)), {
        commands: texts,
        continues: [...commands.map((one) => one.waits), 0],
      })
    }),
    { seed: 4, numRuns: 1500 },
  )
})

test('any bytes are read without an exception, with the same result whole and cut', () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.array(fc.constantFrom(...marks), { maxLength: 40 }).map((parts) => wire(parts.join(''))),
  )
  const limits = { lineBytesMax: 60, literalBytesMax: 20 }
  fc.assert(
    fc.property(noise, cuts, (bytes, shares) => {
      assert.deepEqual(read(cutAt(bytes, shares), limits), read([bytes], limits))
    }),
    { seed: 5, numRuns: 1500 },
  )
})

test('a line can be taken in parts: its end announces the literal, also for another scanner', () => {
  const line = 'a SEARCH SUBJECT {12+}\r\n'
  for (let cut = 1; cut < line.length; cut++)
    for (const continues of [false, true]) {
      const first = new CommandScanner()
      assert.equal(first.next(wire(line.slice(0, cut)), 0, Infinity), 'partial-line')
      first.takePart(wire(line.slice(0, cut)), 0)
      assert.deepEqual([first.isWithinLine, first.betweenCommands], [true, false])
      const second = continues ? new CommandScanner(undefined, first.position) : first
      const rest = wire(`${line.slice(cut)}x`)
      assert.equal(second.next(rest, 0, Infinity), 'line')
      assert.equal(second.takeLine(rest, 0), 'literal')
      assert.deepEqual(second.position, { literalLeft: 12, continues: true })
    }
})
