/** `imapfleet rollouts`: revisions that reach the edges in waves; pause, resume or abort one. */
import type { RolloutView } from '@imapfleet/api'
import type { Command } from 'commander'
import { Failure } from '../failure.ts'
import { pageQuery, pageOptions, wholeArgument, type PageOptions } from '../options.ts'
import { rolloutColumns, rolloutLines } from '../print/rollout.ts'
import type { Shell } from '../shell.ts'
import { watchable } from '../watching.ts'

const examples = `
Examples:
  imapfleet config set pool.idleTimeoutMs 60000 --rollout \\
    --canary eu-1 --soak 5m
  imapfleet rollouts
  imapfleet rollouts show 17
  imapfleet rollouts abort 17`

export function addRollouts(parent: Command, shell: Shell): void {
  const rollouts = watchable(
    pageOptions(parent.command('rollouts'))
      .description('rollouts in waves, newest first')
      .addHelpText('after', examples),
    shell,
    async (options: PageOptions, command: Command) => {
      const client = await shell.client(command)
      const list = await client.call('listRollouts', { query: pageQuery(options) })
      shell.answerPage(
        command,
        list,
        list.rollouts,
        rolloutColumns,
        'there are no rollouts yet: start one with `imapfleet config set KEY VALUE --rollout`',
      )
    },
  )

  watchable(
    rollouts
      .command('show')
      .description('one rollout, wave by wave; exit status 1 if it was rolled back')
      .argument('<revision>', 'the revision that is rolled out', wholeArgument(1)),
    shell,
    async (revision: number, _options: object, command: Command) => {
      const client = await shell.client(command)
      const rollout = await client.call('readRollout', { params: { revision } })
      shell.answer(command, rollout, (page) => rolloutLines(rollout, page))
      complainOfRollout(rollout)
    },
  )

  const steer = (word: 'pause' | 'resume' | 'abort', help: string) => {
    rollouts
      .command(word)
      .description(help)
      .argument('<revision>', 'the revision that is rolled out', wholeArgument(1))
      .action(async (revision: number, _options: object, command: Command) => {
        const client = await shell.client(command)
        const rollout = await client.call('steerRollout', { params: { revision, steering: word } })
        shell.answer(command, rollout, (page) => rolloutLines(rollout, page))
      })
  }
  steer('pause', 'pause it: it neither continues nor rolls back')
  steer('resume', 'continue it; the soak time of the wave starts again')
  steer('abort', 'roll it back on every edge that applied it')
}

/** Throws if it was rolled back. */
export function complainOfRollout({ revision, state, reason }: RolloutView): void {
  if (state === 'rolled-back' || state === 'aborted')
    throw new Failure(
      'refused',
      `revision ${revision} was rolled back${reason === null ? '' : `: ${reason}`}`,
    )
}
