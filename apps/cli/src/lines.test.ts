import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from './failure.ts'
import { readLines } from './lines.ts'

const line = { at: 1, edge: 'eu-1', region: 'eu', session: 's', from: 'C', text: 'A1 NOOP' } as const
const edge = { edge: 'eu-1', region: 'eu', state: 'ended', reason: 'expired' } as const
const text = [
  { kind: 'line', ...line },
  { kind: 'edge', ...edge },
]
  .map((each) => `${JSON.stringify(each)}\n`)
  .join('')

const read = (bytes: Uint8Array, cut: number) =>
  Array.fromAsync(readLines(ReadableStream.from([bytes.subarray(0, cut), bytes.subarray(cut)])))

test('stored lines are the same, however the network cuts them', async () => {
  const bytes = new TextEncoder().encode(text)
  const expected = [
    { kind: 'line', line },
    { kind: 'edge', edge },
  ]
  for (let cut = 0; cut <= bytes.length; cut += 1) assert.deepEqual(await read(bytes, cut), expected)
})

test('a download that is truncated or not a trace is a failure, not an end', async () => {
  for (const wrong of ['<html>\n', '{"kind":"moon"}\n', text.slice(0, -1), `${text}{"kind":"li`])
    await assert.rejects(read(new TextEncoder().encode(wrong), 0), Failure, wrong)
})
