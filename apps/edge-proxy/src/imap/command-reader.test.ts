import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { CommandReader, type Progress } from './command-reader.ts'
import { cutAt, everyCut, marks, wire } from './cuts.test-support.ts'

const roomy = { lineBytesMax: 4096, literalBytesMax: 4096 }

interface Read {
  commands: string[]
  /** How often a client would have been told to go on, for each command begun. */
  continues: number[]
  violation?: string
}

/** Reads commands as a client's end does: what is not yet a command is given again with more behind it. */
function read(chunks: readonly Buffer[], limits = roomy): Read {
  const reader = new CommandReader(limits)
  const result: Read = { commands: [], continues: [0] }
  let buffer: Buffer = Buffer.alloc(0)
  for (const chunk of chunks) {
    buffer = Buffer.concat([buffer, chunk])
    for (;;) {
      const progress: Progress = buffer.length > 0 ? reader.advance(buffer) : { kind: 'more' }
      if (progress.kind === 'violation') return { ...result, violation: progress.reason }
      if (progress.kind === 'more') break
      if (progress.kind === 'continue') result.continues[result.commands.length]!++
      else {
        result.commands.push(buffer.toString('latin1', 0, progress.end))
        result.continues.push(0)
        buffer = buffer.subarray(progress.end)
      }
    }
  }
  return result
}

const transcripts: Record<string, { commands: string[]; continues: number[]; rest?: string }> = {
  'a line': { commands: ['a NOOP\r\n'], continues: [0, 0] },
  'lines in one go': { commands: ['a NOOP\r\n', 'b CAPABILITY\n', 'c LOGOUT\r\n'], continues: [0, 0, 0, 0] },
  'literals that wait': {
    commands: ['a LOGIN {3}\r\nb O {4}\r\nx\r\ny\r\n', 'c NOOP\r\n'],
    continues: [2, 0, 0],
  },
  'literals that do not wait': {
    commands: ['a LOGIN {3+}\r\nb\r\n {2+}\r\n\n\n\r\n', 'c NOOP\r\n'],
    continues: [0, 0, 0],
  },
  'an empty literal': { commands: ['a LOGIN {0}\r\n {0+}\r\n\r\n'], continues: [1, 0] },
  'a literal of commands': { commands: ['a LOGIN x {19}\r\nb LOGOUT\r\nc NOOP {5}\r\n'], continues: [1, 0] },
  'a bare line feed': { commands: ['a LOGIN {2}\n\n\n x\n'], continues: [1, 0] },
  'status text is no exception for a client': { commands: ['* OK {3}\r\nabc\r\n'], continues: [1, 0] },
  'an empty line, NUL and NIL': { commands: ['\r\n', 'a \0 NIL\r\n'], continues: [0, 0, 0] },
  'half a command': { commands: ['a NOOP\r\n'], continues: [0, 0], rest: 'b LOG' },
  'half a literal': { commands: ['a NOOP\r\n'], continues: [0, 1], rest: 'b LOGIN {9}\r\nx y\r\n' },
}

for (const [name, { commands, continues, rest = '' }] of Object.entries(transcripts)) {
  test(`${name}: read the same whole, byte by byte and at every cut`, () => {
    for (const chunks of everyCut(wire(commands.join('') + rest)))
      assert.deepEqual(read(chunks), { commands, continues })
  })
}

test('a line or a literal beyond its limit is a violation, at whatever cut', () => {
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

test('whatever literals hold, exactly the commands of the client are found, at any cuts', () => {
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

test('any bytes at all are read without an error and the same whole and cut', () => {
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
