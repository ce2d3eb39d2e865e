/** `imapfleet completion`: a script for bash, zsh or fish, made from the commands themselves. Added last. */
import tab from '@bomb.sh/tab/commander'
import type { Command } from 'commander'

const examples = `
Examples:
  source <(imapfleet completion bash)
  imapfleet completion zsh > ~/.zfunc/_imapfleet
  imapfleet completion fish > ~/.config/fish/completions/imapfleet.fish`

export function addCompletion(program: Command): void {
  tab(program, { completionCommandName: 'completion' })
  program.commands
    .find((command) => command.name() === 'completion')
    ?.description('print a completion script for your shell')
    .addHelpText('after', examples)
}
