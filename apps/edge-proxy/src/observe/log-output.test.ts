import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { EdgeError } from '../errors.ts'
import { LogFile } from './log-file.ts'
import { LogOutput } from './log-output.ts'

/** A target that confirms writes when `take` is called, or immediately. */
function target({ isSlow = false } = {}) {
  const written: string[] = []
  const waiting: (() => void)[] = []
  let isFull = false
  const first = Promise.withResolvers<void>()
  const output = new LogOutput({
    write(lines, done) {
      const take = () => {
        if (!isFull) written.push(lines)
        first.resolve()
        done(!isFull)
      }
      if (isSlow) waiting.push(take)
      else take()
    },
  })
  const lost: number[] = []
  output.onLost = (lines) => lost.push(lines)
  return {
    ...{ output, written, lost, first: first.promise },
    take: () => waiting.shift()?.(),
    fill: (full: boolean) => void (isFull = full),
  }
}

test('lines that may wait are written together, in order, and other lines immediately after them', () => {
  const { output, written } = target()
  output.write('a\n', true)
  output.write('b\n', true)
  assert.deepEqual(written, [])
  output.write('c\n', false)
  output.write('d\n', false)
  assert.deepEqual(written, ['a\nb\nc\n', 'd\n'])
})

test('a single line is written after a short time, and many lines do not wait', async () => {
  const { output, written, first } = target()
  output.write('a\n', true)
  // The timer of the log does not keep the process alive, but this one does.
  const alive = setInterval(() => {}, 1000)
  await first
  clearInterval(alive)
  assert.deepEqual(written, ['a\n'])
  for (let line = 0; line < 33; line++) output.write(`${'x'.repeat(1000)}\n`, true)
  assert.equal(written.length, 2)
})

test('waiting lines are written at the exit of the process', () => {
  const { output, written } = target()
  output.write('a\n', true)
  output.flush()
  output.flush()
  assert.deepEqual(written, ['a\n'])
})

test('at the exit of the process, lines after an unconfirmed write are written', () => {
  const written: string[] = []
  const output = new LogOutput({ write: (lines) => void written.push(lines) })
  output.write('cut\n', false)
  output.write('stopped\n', false)
  output.end()
  assert.deepEqual(written, ['cut\n', 'stopped\n'])
})

test('one write is in progress at a time, and lines that arrive in the meantime follow it', () => {
  const { output, written, take } = target({ isSlow: true })
  output.write('a\n', false)
  output.write('b\n', false)
  output.write('c\n', true)
  take()
  assert.deepEqual(written, ['a\n'])
  take()
  assert.deepEqual(written, ['a\n', 'b\nc\n'])
})

test('if the reader stops reading, the waiting lines are limited, and the number of lost lines is logged when it reads again', () => {
  const { output, written, take, lost } = target({ isSlow: true })
  const line = `${'x'.repeat(999)}\n`
  output.write(line, false)
  for (let count = 0; count < 2000; count++) output.write(line, true)
  assert.deepEqual(lost, [])
  take()
  assert.deepEqual(lost, [2000 - 1048])
  take()
  assert.equal(written.join('').length, 1049 * 1000)
})

test('if the disk is full, the number of lost lines is logged when there is space', () => {
  const all = target()
  all.fill(true)
  all.output.write('a\n', true)
  all.output.write('b\n', false)
  all.output.write('c\n', false)
  assert.deepEqual(all.lost, [])
  all.fill(false)
  all.output.write('d\n', false)
  assert.deepEqual([all.written, all.lost], [['d\n'], [3]])
  all.output.write('e\n', false)
  assert.deepEqual(all.lost, [3])
})

test('logging lost lines while the disk is still full does not recurse forever', () => {
  const all = target()
  all.output.onLost = (lines) => {
    all.fill(true)
    all.output.write(`lost ${lines}\n`, false)
  }
  all.fill(true)
  all.output.write('a\n', false)
  all.fill(false)
  all.output.write('b\n', false)
  assert.deepEqual(all.written, ['b\n'])
})

const directory = temporaryDirectory('log-output')

test('log.file is appended to, and its group may read it', () => {
  const file = join(directory, 'a.log')
  for (const line of ['first run\n', 'second run\n']) LogOutput.of({ file }).write(line, false)
  assert.equal(readFileSync(file, 'utf8'), 'first run\nsecond run\n')
  assert.equal(statSync(file).mode & 0o137, 0)
})

test('the error for a log file that cannot be written has the key, the path and the cause', () => {
  const file = join(directory, 'directory')
  mkdirSync(file)
  assert.throws(
    () => LogOutput.of({ file }),
    (error: unknown) => {
      assert.ok(error instanceof EdgeError && error.code === 'log_unwritable')
      assert.match(error.message, /^log\.file: cannot write .*directory: EISDIR$/)
      return true
    },
  )
})

test('a write to a file on a full disk reports that the lines were not written', () => {
  const file = new LogFile('/dev/full', 0o600)
  assert.equal(file.write('a\n'), false)
  file.close()
})
