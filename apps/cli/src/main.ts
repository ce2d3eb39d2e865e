#!/usr/bin/env node
/** The `imapfleet` command, and the one place that turns a failure into a sentence on stderr and an exit status. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { safe } from '@imapfleet/api'
import { CommanderError, type Command } from 'commander'
import { exitStatus, failureOf } from './failure.ts'
import { createProgram } from './program.ts'
import { openShell } from './shell.ts'
import { suggestion, unknownWord, wordsOnly } from './suggestion.ts'

/** Prints the reason in one line, and returns the exit status. */
function report(error: unknown, program: Command, words: readonly string[]): number {
  const say = (text: string) => process.stderr.write(`imapfleet: ${safe(text)}\n`)
  const failure = failureOf(error)
  if (failure) {
    for (const detail of failure.details) process.stderr.write(`${safe(detail)}\n`)
    say(failure.message)
    return exitStatus[failure.kind]
  }
  if (error instanceof CommanderError) {
    // Help and version are reported this way too. Help that was not requested is wrong usage.
    if (error.exitCode === 0) return 0
    if (error.code !== 'commander.help') say(usageText(error, program, words))
    return exitStatus.usage
  }
  say(`this is a bug, please report it: ${error instanceof Error ? error.message : String(error)}`)
  if (process.env['IMAPFLEET_DEBUG'] && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  return 70
}

function usageText({ code, message }: CommanderError, program: Command, words: readonly string[]): string {
  const isUnknown = code === 'commander.unknownCommand' || code === 'commander.excessArguments'
  const typed = wordsOnly(program, words)
  const meant = isUnknown ? suggestion(program, typed) : undefined
  const help = `see \`${commandOf(program, words)} --help\``
  // Of a command that lists without a subcommand, commander knows only that it takes no arguments.
  const unknown = isUnknown ? unknownWord(program, typed) : undefined
  const wrong = unknown === undefined ? 'no such command' : `unknown command '${unknown}'`
  if (meant !== undefined) return `${wrong}: did you mean \`${meant}\`? (${help})`
  if (code === 'commander.excessArguments' && unknown !== undefined) return `${wrong} (${help})`
  return `${message.replace(/^error: /, '').replaceAll('\n', ' ')} (${help})`
}

/** The command that the words of a command line select, for its help. */
function commandOf(program: Command, words: readonly string[]): string {
  let command = program
  const path = [program.name()]
  for (const word of words) {
    const next = command.commands.find((candidate) => candidate.name() === word)
    if (next === undefined) continue
    command = next
    path.push(word)
  }
  return path.join(' ')
}

const { env } = process
/** The clone that these sources are in. A bundle is not in one. */
const clone = import.meta.filename.endsWith('.ts') ? [join(import.meta.dirname, '../../..')] : []
const shell = openShell(
  {
    // An empty variable counts as unset.
    server: env['IMAPFLEET_SERVER'] || undefined,
    token: env['IMAPFLEET_TOKEN'] || undefined,
    profile: env['IMAPFLEET_PROFILE'] || undefined,
    browser: env['BROWSER'] || (process.platform === 'darwin' ? 'open' : 'xdg-open'),
    configHome: env['XDG_CONFIG_HOME'] || join(homedir(), '.config'),
    directories: [process.cwd(), ...clone],
  },
  process,
)
const { program, prepare } = createProgram(shell)
const words = process.argv.slice(2)
try {
  await prepare(words)
  await program.parseAsync(words, { from: 'user' })
} catch (error) {
  process.exitCode = report(error, program, words)
}
