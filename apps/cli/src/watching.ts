/** `--watch`: repeats a command that reads, until Ctrl-C. On a terminal each answer replaces the one before. */
import { isTransient } from '@imapfleet/client'
import { pause } from '@imapfleet/retry'
import type { Command } from 'commander'
import { Failure, failureOf } from './failure.ts'
import { durationOption } from './options.ts'
import type { Shell } from './shell.ts'

interface WatchOptions {
  watch?: true
  every: number
}

const everyMinMs = 500

/** Sets the action of a command, and gives it the options. Arguments of the action are those of commander. */
export function watchable(command: Command, shell: Shell, action: Parameters<Command['action']>[0]): Command {
  return command
    .option('-w, --watch', 'repeat until Ctrl-C')
    .addOption(durationOption('--every <duration>', 'with --watch: interval', '2s'))
    .action(async (...given: unknown[]) => {
      // Of a command with subcommands, the options of both are parsed by the upper one.
      const { watch, every } = (given.at(-1) as Command).optsWithGlobals<WatchOptions>()
      const once = async () => await action.call(command, ...given)
      if (watch) await repeat(once, Math.max(everyMinMs, every), shell)
      else await once()
    })
}

/** A failure that may pass is shown, and the command is repeated. */
async function repeat(once: () => Promise<void>, everyMs: number, shell: Shell): Promise<void> {
  const stopped = shell.untilStopped()
  while (!stopped.aborted) {
    shell.replaceNext()
    try {
      await once()
    } catch (error) {
      const isRefusal = error instanceof Failure && error.kind === 'refused'
      const failure = failureOf(error)
      if (!failure || !(isRefusal || isTransient(error))) throw error
      shell.note(failure.message)
    }
    await pause(everyMs, stopped)
  }
}
