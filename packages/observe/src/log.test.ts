import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { Log, type LogFields } from './log.ts'

function logTo(options: Partial<ConstructorParameters<typeof Log>[0]> = {}) {
  const lines: string[] = []
  const log = new Log({ level: 'debug', format: 'text', ...options }, (line) => void lines.push(line))
  return { log, lines }
}

test('a line has the time, the level, the event and its fields', () => {
  const { log, lines } = logTo()
  log.warn('upstream_down', { upstream: 'main', attempts: 3, healthy: false, detail: undefined })
  assert.match(
    lines[0]!,
    /^\d{4}-\d\d-\d\dT[\d:.]+Z warn upstream_down upstream=main attempts=3 healthy=false\n$/,
  )
})

test('only events of the level or above are written, and a change of the level takes effect immediately', () => {
  const { log, lines } = logTo({ level: 'warn' })
  log.info('no')
  log.debug('no')
  log.error('yes')
  log.warn('yes')
  log.level = 'debug'
  log.debug('yes')
  assert.deepEqual(
    lines.map((line) => line.trimEnd().split(' ').at(-1)),
    ['yes', 'yes', 'yes'],
  )
  assert.deepEqual([log.isOn('debug'), logTo({ level: 'error' }).log.isOn('warn')], [true, false])
})

test('whatever a field contains, an event is one line, and no value looks like another field', () => {
  const text = fc.array(
    fc.constantFrom(
      '\r\n',
      '\n',
      '\0',
      '\x1b[31m',
      '\x85',
      '"',
      '=',
      ' ',
      '\\',
      'user=root',
      '\u2028',
      'x',
      'ä',
    ),
  )
  fc.assert(
    fc.property(text, fc.constantFrom('text', 'json'), (parts, format) => {
      const { log, lines } = logTo({ format })
      const value = parts.join('')
      log.info('event', { first: value, last: 'end' })
      const line = lines[0]!
      assert.equal(line.indexOf('\n'), line.length - 1)
      // eslint-disable-next-line no-control-regex -- control characters must not reach a terminal
      assert.doesNotMatch(line.slice(0, -1), /[\x00-\x1f]/)
      if (format === 'json') {
        const { at: _, ...said } = JSON.parse(line) as LogFields
        assert.deepEqual(said, { level: 'info', event: 'event', first: value, last: 'end' })
      } else assert.match(line, /^\S+ info event first=("([^"\\]|\\.)*"|[^\s"=]+) last=end\n$/)
    }),
    { seed: 23, numRuns: 500 },
  )
})

test('the length of a value is limited, in both formats', () => {
  for (const format of ['text', 'json'] as const)
    for (const character of ['x', ' ', '\u2028']) {
      const { log, lines } = logTo({ format })
      log.info('event', { text: character.repeat(100_000) })
      assert.ok(lines[0]!.length < 1000, format)
    }
})
