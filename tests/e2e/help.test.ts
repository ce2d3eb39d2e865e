/** The help of the programs of servers. That of `imapfleet` is tested beside its commands. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { node, programFiles } from '@imapfleet/local'
import { runCommand } from '../support/command.ts'

suite('help', () => {
  const commands: [string, string[]][] = [
    [programFiles.edge, []],
    ...['', 'all', 'doctor', 'token create', 'nats init', 'nats leaf'].map((words): [string, string[]] => [
      programFiles.control,
      words.split(' ').filter((word) => word !== ''),
    ]),
  ]
  test('the help of control and of the edge fits into 80 columns', async () => {
    for (const [file, words] of commands) {
      const { status, stdout } = await runCommand(node, [file, ...words, '--help'])
      assert.equal(status, 0)
      assert.match(stdout, /Usage:/)
      for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line)
    }
  })
})
