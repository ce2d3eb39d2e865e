import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readArguments } from './arguments.ts'

test('an upstream is a name or an address, and a port', () => {
  for (const [text, host, port] of [
    ['mail.example.org:143', 'mail.example.org', 143],
    ['192.0.2.1:993', '192.0.2.1', 993],
    ['[2001:db8::1]:143', '2001:db8::1', 143],
  ] as const)
    assert.deepEqual(readArguments(['--upstream', text]), { kind: 'start', upstream: { host, port } })
  assert.deepEqual(readArguments([]), { kind: 'start', upstream: undefined })
})

test('anything else is refused with a line that says what is needed', () => {
  for (const text of [
    'mail',
    'mail:',
    ':143',
    'mail:0',
    'mail:65536',
    'mail:14x',
    'imap://mail:143',
    '::1:143',
    '',
  ])
    assert.match(
      wrong(['--upstream', text]),
      /^--upstream needs HOST:PORT, such as mail\.example\.org:143, not /,
    )
  assert.match(wrong(['--upstream']), /--upstream/)
  assert.match(wrong(['--wrong']), /^unknown option '--wrong'/)
  assert.match(wrong(['mail:143']), /mail:143/)
})

function wrong(args: string[]): string {
  const read = readArguments(args)
  assert.equal(read.kind, 'wrong')
  assert.ok(!read.message.includes('\n'))
  return read.message
}
