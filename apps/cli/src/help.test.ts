import assert from 'node:assert/strict'
import { test } from 'node:test'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import type { Command } from 'commander'
import { newProgram } from './program.test-support.ts'

const helpWidth = 80

function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => helpWidth })
  command.outputHelp()
  return text
}

test('the sentences of every help fit into 80 columns', () => {
  const seen: string[] = []
  const look = (command: Command) => {
    seen.push(command.name())
    // Indented lines are examples, to be copied whole.
    const sentences = helpOf(command)
      .split('\n')
      .filter((line) => !line.startsWith('  '))
    for (const line of sentences) assert.ok(line.length <= helpWidth, `${command.name()}: ${line}`)
    for (const each of command.commands) look(each)
  }
  look(newProgram(temporaryDirectory('cli-help')))
  assert.ok(seen.length > 50, `only ${seen.length} commands`)
})
