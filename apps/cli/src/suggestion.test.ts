import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Command } from 'commander'
import { suggestion, unknownWord, wordsOnly } from './suggestion.ts'

/** Commands with their subcommands. */
const tree = {
  edges: ['list', 'show', 'forget', 'enroll', 'revoke'],
  tokens: ['list', 'create', 'revoke'],
  rollouts: ['show', 'pause', 'resume', 'abort'],
  config: ['get', 'set', 'show'],
  traces: ['watch', 'end'],
  alerts: ['list', 'show', 'ack', 'rules'],
  who: [],
  top: [],
}

const program = new Command('imapfleet')
for (const [name, below] of Object.entries(tree)) {
  const command = program.command(name)
  for (const each of below) command.command(each)
}
program.commands
  .find((command) => command.name() === 'alerts')
  ?.commands.find((command) => command.name() === 'rules')
  ?.command('set')

test('a command line of another program, or a misspelt one, gets a suggestion that exists', () => {
  const lines: [string, string | undefined][] = [
    ['edgse', 'edges'],
    ['edge', 'edges'],
    ['edge eu-1', 'edges show eu-1'],
    ['edges eu-1', 'edges show eu-1'],
    ['edges foo', 'edges show foo'],
    ['edges sohw eu-1', 'edges show eu-1'],
    ['edges get eu-1', 'edges show eu-1'],
    ['edges describe eu-1', 'edges show eu-1'],
    ['edges delete eu-1', 'edges forget eu-1'],
    ['get edges', 'edges'],
    ['get edge', 'edges'],
    ['get edge eu-1', 'edges show eu-1'],
    ['describe edges eu-1', 'edges show eu-1'],
    ['list edges', 'edges'],
    ['delete edge eu-1', 'edges forget eu-1'],
    ['rollout 17', 'rollouts show 17'],
    ['rollouts 17', 'rollouts show 17'],
    ['rollout abort 17', 'rollouts abort 17'],
    ['rollouts stop 17', 'rollouts abort 17'],
    ['token', 'tokens'],
    ['delete token 7b7c', 'tokens revoke 7b7c'],
    ['traces ls', 'traces'],
    ['config edit a 1', 'config set a 1'],
    ['get config', 'config'],
    ['alerts acknowledge 2', 'alerts ack 2'],
    ['alerts rules edit drift', 'alerts rules set drift'],
    // Not what was typed.
    ['alerts rules drift', undefined],
    ['edges show eu-1 us-1', undefined],
    ['edges frobnicate eu-1', undefined],
    ['xyzzy', undefined],
    ['get xyzzy', undefined],
    ['get', undefined],
    ['top eu-1', undefined],
    ['tokens 7b7c', undefined],
    ['', undefined],
  ]
  for (const [typed, meant] of lines)
    assert.equal(
      suggestion(program, typed.split(' ')),
      meant === undefined ? undefined : `imapfleet ${meant}`,
      typed,
    )
})

test('the word that names no command is known, also behind a command that lists', () => {
  const lines: [string, string | undefined][] = [
    ['edges frobnicate eu-1', 'frobnicate'],
    ['alerts rules foo', 'foo'],
    ['edges show eu-1 us-1', undefined],
    ['top eu-1', undefined],
    ['edges', undefined],
  ]
  for (const [typed, word] of lines) assert.equal(unknownWord(program, typed.split(' ')), word, typed)
})

test('names with a meaning in JavaScript are ordinary words', () => {
  for (const word of ['constructor', '__proto__', 'toString'])
    for (const typed of [[word], [word, 'edges'], ['edges', word]]) suggestion(program, typed)
})

test('options and their values are not words of the command', () => {
  const line = new Command('imapfleet').option('-o, --output <format>').option('-q')
  line.command('edges').option('--region <region>')
  const typed = '-o json edges -q --region eu foo --region=us -- -x'
  assert.deepEqual(wordsOnly(line, typed.split(' ')), ['edges', 'foo', '-x'])
})
