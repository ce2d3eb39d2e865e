/** Suggests a command for a command line that does not exist: `get edge eu-1` → `imapfleet edges show eu-1`. */
import { closest } from '@imapfleet/config'
import type { Command } from 'commander'

/** Words of other programs, and the commands that do the same here, the first that exists. */
const verbs: Readonly<Record<string, readonly string[]>> = {
  ...same(['get', 'describe', 'inspect', 'view', 'cat', 'info'], ['show', 'get']),
  ...same(['list', 'ls', 'all'], ['list']),
  ...same(['delete', 'remove', 'rm', 'del'], ['forget', 'revoke', 'end', 'remove', 'unset', 'unsilence']),
  ...same(['create', 'add', 'new', 'make'], ['create', 'enroll', 'silence']),
  ...same(['edit', 'update', 'change', 'patch'], ['set']),
  ...same(['stop', 'cancel'], ['end', 'abort', 'pause']),
  ...same(['undo', 'revert'], ['rollback']),
  ...same(['start'], ['resume']),
  ...same(['acknowledge'], ['ack']),
}

function same(words: readonly string[], commands: readonly string[]): Record<string, readonly string[]> {
  return Object.fromEntries(words.map((word) => [word, commands]))
}

/** A command line that exists, or undefined. `words` has no options. */
export function suggestion(program: Command, words: readonly string[]): string | undefined {
  const [first, second, ...rest] = words
  if (first === undefined || words.some((word) => word.trim() === '')) return undefined
  const known = deepest(program, words)
  if (known.command !== program) return below(known.command, known.rest)
  // `get edges`, `delete token 7b7c`
  const noun = second === undefined ? undefined : nounNamed(program, second)
  if (Object.hasOwn(verbs, first) && noun) {
    const isList = rest.length === 0 && !needsArgument(noun, first)
    return isList ? line(noun) : below(noun, [first, ...rest])
  }
  const meant = nounNamed(program, first)
  if (!meant) return undefined
  if (second === undefined) return line(meant)
  return below(meant, words.slice(1)) ?? line(meant, words.slice(1))
}

/** The word of the command line that names no command, where only commands can be. */
export function unknownWord(program: Command, words: readonly string[]): string | undefined {
  const { command, rest } = deepest(program, words)
  return command.commands.length > 0 ? rest[0] : undefined
}

/** The command that the first words name, and the words behind it. */
function deepest(program: Command, words: readonly string[]): { command: Command; rest: readonly string[] } {
  const [word, ...rest] = words
  const named = word === undefined ? undefined : commandNamed(program, word)
  return named ? deepest(named, rest) : { command: program, rest: words }
}

/** The verb changes something, so it must say what. */
const needsArgument = (noun: Command, verb: string): boolean =>
  !['show', 'get', 'list'].some((name) => verbs[verb]?.includes(name) && commandNamed(noun, name)) &&
  subcommandFor(noun, verb) !== undefined

/** A word behind a command that has subcommands: a verb, a misspelt subcommand, or the id that `show` takes. */
function below(command: Command, words: readonly string[]): string | undefined {
  const [word, ...rest] = words
  if (word === undefined || command.commands.length === 0) return undefined
  if (commandNamed(command, word)) return line(command, words)
  const verb = subcommandFor(command, word)
  if (verb) return line(command, [verb, ...rest])
  if (['list', 'ls', 'all'].includes(word)) return line(command, rest)
  const near = closest(word, namesIn(command))
  if (near !== undefined) return line(command, [near, ...rest])
  return commandNamed(command, 'show') && rest.length === 0 ? line(command, ['show', word]) : undefined
}

const subcommandFor = (command: Command, verb: string): string | undefined =>
  Object.hasOwn(verbs, verb) ? verbs[verb]?.find((name) => commandNamed(command, name)) : undefined

/** By its name, its singular, or a similar name. */
function nounNamed(program: Command, word: string): Command | undefined {
  const name = [word, `${word}s`, `${word}es`].find((each) => commandNamed(program, each))
  return commandNamed(program, name ?? closest(word, namesIn(program)) ?? '')
}

const namesIn = (command: Command): string[] => command.commands.map((each) => each.name())

const commandNamed = (command: Command, name: string): Command | undefined =>
  command.commands.find((each) => each.name() === name)

function line(command: Command, words: readonly string[] = []): string {
  const path: string[] = []
  for (let at: Command | null = command; at; at = at.parent) path.unshift(at.name())
  return [...path, ...words].join(' ')
}

/** The words of a command line without options and their values. */
export function wordsOnly(program: Command, words: readonly string[]): string[] {
  const kept: string[] = []
  let command = program
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word === '--') return [...kept, ...words.slice(at + 1)]
    if (word.startsWith('-')) {
      const option = [...command.options, ...program.options].find(
        ({ long, short }) => word === long || word === short,
      )
      if (option?.required) at += 1
      continue
    }
    kept.push(word)
    command = commandNamed(command, word) ?? command
  }
  return kept
}
