import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Command } from 'commander'
import { argumentKinds, kindOfLast } from './completion-ids.ts'

const program = new Command('imapfleet')
for (const path of Object.keys(argumentKinds)) {
  const [first = '', second] = path.split(' ')
  const parent = program.commands.find((each) => each.name() === first) ?? program.command(first)
  if (second !== undefined) parent.command(second)
}

test('the last word of a line is completed with the ids that are valid in its place', () => {
  const lines: [string, string | undefined][] = [
    ['edges show ', 'edge'],
    ['edges show eu', 'edge'],
    ['-o json edges show ', 'edge'],
    ['tokens revoke ', 'token'],
    ['config get --region ', 'region'],
    ['config get --region=e', 'region'],
    ['drain --first ', 'region'],
    ['drain ', 'edge'],
    ['stats --edge e', 'edge'],
    ['edges ', undefined],
    ['edges show --output ', 'edge'],
    ['config set --note=x', undefined],
    ['constructor ', undefined],
    ['--constructor ', undefined],
    ['', undefined],
  ]
  for (const [line, kind] of lines) assert.equal(kindOfLast(program, line.split(' ')), kind, line)
})
