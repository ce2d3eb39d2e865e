/**
 * `imapfleet completion`: a completion script for bash, zsh or fish, generated from the commands. It must be added
 * last.
 */
import tab from '@bomb.sh/tab/commander'
import type { Command } from 'commander'
import { settableKeys } from './config-keys.ts'

const examples = `
bash needs the package bash-completion.

Examples:
  source <(imapfleet completion bash)
  imapfleet completion zsh > ~/.zfunc/_imapfleet
  imapfleet completion fish > ~/.config/fish/completions/imapfleet.fish`

export function addCompletion(program: Command): void {
  const completion = tab(program, { completionCommandName: 'completion' })
  for (const name of ['config set', 'config unset', 'config get', 'config keys']) {
    const key = completion.commands.get(name)?.arguments.values().next().value
    if (key) key.handler = (complete) => settableKeys().forEach((row) => complete(row.key, row.help))
  }
  program.commands
    .find((command) => command.name() === 'completion')
    ?.description('print a completion script for your shell')
    .addHelpText('after', examples)
}
