import assert from 'node:assert/strict'
import { test } from 'node:test'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import type { Command } from 'commander'
import { newProgram } from './program.test-support.ts'

function helpOf(command: Command, width: number): string {
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => width })
  command.outputHelp()
  return text
}

test('every help fits into the terminal', () => {
  const seen: string[] = []
  const look = (command: Command) => {
    seen.push(command.name())
    for (const line of helpOf(command, 80).split('\n'))
      assert.ok(line.length <= 80, `${command.name()}: ${line}`)
    // Examples have lines for 80 columns.
    const [described = ''] = helpOf(command, 66).split('\nExamples:')
    for (const line of described.split('\n').filter((each) => each.startsWith('  ')))
      assert.ok(line.length <= 66, `${command.name()}: ${line}`)
    for (const each of command.commands) look(each)
  }
  look(newProgram(temporaryDirectory('cli-help')))
  assert.ok(seen.length > 50, `only ${seen.length} commands`)
})
