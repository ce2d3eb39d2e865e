import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseImapproxyConf } from './parse.ts'

test('a line is a keyword in any case, blanks or tabs, and a value to the end of the line', () => {
  const text = '\uFEFFSERVER_PORT 143\n\t listen_port \t 1143  \t\r\npreauth_command  ID ("a" "b c") \r\n'
  assert.deepEqual(parseImapproxyConf(text), {
    entries: [
      { keyword: 'server_port', value: '143', line: 1 },
      { keyword: 'listen_port', value: '1143', line: 2 },
      { keyword: 'preauth_command', value: 'ID ("a" "b c")', line: 3 },
    ],
    problems: [],
  })
})

test('comments and blank lines are skipped, indented or not', () => {
  const text = '#a b\n  # c\n\t\n   \n\r\nserver_port 143 # the usual\nproc_username no#body\n\n'
  assert.deepEqual(parseImapproxyConf(text), {
    entries: [
      { keyword: 'server_port', value: '143', line: 6 },
      { keyword: 'proc_username', value: 'no#body', line: 7 },
    ],
    problems: [],
  })
})

test('a missing value, = and binary data are reported with their lines', () => {
  const { entries, problems } = parseImapproxyConf(
    'server_port\nserver_port #none\nserver_port=1\nserver_port = 1\n\0\x01 x\n',
  )
  assert.deepEqual(entries, [])
  assert.deepEqual(
    problems.map(({ key, line }) => [key, line]),
    [
      ['server_port', 1],
      ['server_port', 2],
      ['server_port', 3],
      ['server_port', 4],
      ['', 5],
    ],
  )
})
