import assert from 'node:assert/strict'
import { test } from 'node:test'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { CommanderError, type Argument, type Command, type Option } from 'commander'
import { Failure } from './failure.ts'
import { newProgram } from './program.test-support.ts'

const home = temporaryDirectory('cli-blank')

/** The words of each command that does something. */
function leaves(
  command: Command,
  words: readonly string[] = [],
): { words: readonly string[]; command: Command }[] {
  const own = command.commands
    .filter((each) => !['help', 'completion', 'complete'].includes(each.name()))
    .flatMap((each) => leaves(each, [...words, each.name()]))
  return words.length > 0 && command.commands.length === 0 ? [{ words, command }] : own
}

/** A value that is valid for this argument or option, whatever it means. */
const sampleOf = ({ argChoices, parseArg }: Pick<Argument | Option, 'argChoices' | 'parseArg'>): string =>
  argChoices?.[0] ?? ['1', '1s', '-1h', 'x'].find((text) => isParsed(text, parseArg)) ?? 'x'

function isParsed(text: string, parse: Argument['parseArg'] | Option['parseArg']): boolean {
  try {
    parse?.(text, undefined as never)
    return true
  } catch {
    return false
  }
}

async function outcomeOf(words: readonly string[]): Promise<string> {
  try {
    await newProgram(home).parseAsync(words, { from: 'user' })
    return 'done'
  } catch (error) {
    if (error instanceof CommanderError) return error.message
    assert.ok(error instanceof Failure && error.kind === 'usage', String(error))
    return error.message
  }
}

const all = leaves(newProgram(home))
const freeText = ['value', 'note', 'message']
const refusal = / is blank: |is invalid/

test('a blank argument of any command is wrong usage', async () => {
  let tried = 0
  for (const { words, command } of all)
    for (const [at, argument] of command.registeredArguments.entries()) {
      const mandatory = command.options
        .filter((option) => option.mandatory)
        .flatMap((option) => [option.long ?? '', sampleOf(option)])
      for (const blank of ['', ' \t']) {
        const given = command.registeredArguments.map((each, index) =>
          index === at ? blank : sampleOf(each),
        )
        const outcome = await outcomeOf([...words, ...given, ...mandatory])
        const isFree = freeText.includes(argument.name())
        assert.equal(
          refusal.test(outcome),
          !isFree,
          `${words.join(' ')} ${JSON.stringify(given)}: ${outcome}`,
        )
        tried++
      }
    }
  assert.ok(tried > 60, `${tried} tried`)
})

test('a blank value of any option is wrong usage, except free text', async () => {
  for (const { words, command } of all)
    for (const option of [...command.options, ...newProgram(home).options]) {
      if (!option.required && !option.optional) continue
      const given = command.registeredArguments.map(sampleOf)
      const others = command.options
        .filter((each) => each.mandatory && each !== option)
        .flatMap((each) => [each.long ?? '', sampleOf(each)])
      const outcome = await outcomeOf([...words, ...given, ...others, `${option.long}`, ''])
      const isFree = freeText.includes(option.name())
      assert.equal(refusal.test(outcome), !isFree, `${words.join(' ')} ${option.long} '': ${outcome}`)
    }
})

test('the message names the argument and describes it', async () => {
  assert.equal(await outcomeOf(['edges', 'show', '']), 'the argument <id> is blank: name of the edge')
  assert.equal(await outcomeOf(['edges', '--region', '']), '--region is blank: give a value, or leave it out')
  assert.equal(
    await outcomeOf(['--server', ' ', 'edges']),
    '--server is blank: give a value, or leave it out',
  )
})
