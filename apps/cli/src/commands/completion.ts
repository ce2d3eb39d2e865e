/**
 * `imapfleet completion`: a completion script for bash, zsh or fish, generated from the commands. It must be added
 * last. Ids come from the server while a line is completed.
 */
import tab from '@bomb.sh/tab/commander'
import type { Command } from 'commander'
import {
  argumentKinds,
  kindOfLast,
  optionKinds,
  readIds,
  type CompletedId,
  type IdKind,
} from '../completion-ids.ts'
import type { Shell } from '../shell.ts'
import { settableKeys } from './config-keys.ts'

const examples = `
bash needs the package bash-completion. Ids of edges, tokens, rollouts and
others are completed from the server of the current profile, or of
IMAPFLEET_SERVER and IMAPFLEET_TOKEN.

Examples:
  source <(imapfleet completion bash)
  imapfleet completion zsh > ~/.zfunc/_imapfleet
  imapfleet completion fish > ~/.config/fish/completions/imapfleet.fish`

/** A shell waits for the answer. */
const patienceMs = 2_000

/** Returns what must happen before a line is parsed: ids that its last word needs are read, because handlers cannot wait. */
export function addCompletion(program: Command, shell: Shell): (words: readonly string[]) => Promise<void> {
  const completion = tab(program, { completionCommandName: 'completion' })
  const ids = new Map<IdKind, CompletedId[]>()
  const suggest = (kind: IdKind) => (complete: (value: string, help: string) => void) =>
    ids.get(kind)?.forEach(({ id, help }) => complete(id, help))

  for (const name of ['config set', 'config unset', 'config get', 'config keys']) {
    const key = completion.commands.get(name)?.arguments.values().next().value
    if (key) key.handler = (complete) => settableKeys().forEach((row) => complete(row.key, row.help))
  }
  for (const [name, kind] of Object.entries(argumentKinds)) {
    const argument = completion.commands.get(name)?.arguments.values().next().value
    if (argument) argument.handler = suggest(kind)
  }
  for (const command of completion.commands.values())
    for (const [name, kind] of Object.entries(optionKinds)) {
      const option = command.options.get(name)
      if (option) option.handler = suggest(kind)
    }
  program.commands
    .find((command) => command.name() === 'completion')
    ?.description('print a completion script for your shell')
    .addHelpText('after', examples)

  return async (words) => {
    if (words[0] !== 'complete' || words[1] !== '--') return
    const line = words.slice(2)
    const kind = kindOfLast(program, line)
    if (kind === undefined) return
    const late = new Promise<CompletedId[]>((resolve) => setTimeout(resolve, patienceMs, []).unref())
    const read = shell.clientFor(globalsIn(line)).then(
      async (client) => await readIds(kind, client),
      () => [],
    )
    ids.set(kind, await Promise.race([read, late]))
  }
}

/** The options that select the server, if the line has them. */
function globalsIn(line: readonly string[]): { server?: string; token?: string; profile?: string } {
  const valueOf = (name: string) => {
    const at = line.indexOf(`--${name}`)
    const value = at < 0 ? undefined : line[at + 1]
    return value === undefined || value === '' ? {} : { [name]: value }
  }
  return { ...valueOf('server'), ...valueOf('token'), ...valueOf('profile') }
}
