/** `imapfleet operations`: what is carried out region by region; continue or abort one. */
import type { Command } from 'commander'
import { pageOptions, pageQuery, type PageOptions } from '../options.ts'
import { operationColumns, operationLines } from '../print/operation.ts'
import type { Shell } from '../shell.ts'
import { watchable } from '../watching.ts'
import { complainOfOperation } from './stages.ts'

const examples = `
Operations that affect many users reach one region after the other. Between two
regions control checks the health of the edges. If an edge fails or does worse
than before, the operation is stopped.

Examples:
  imapfleet upstream pause main --first eu --soak 1m
  imapfleet operations
  imapfleet operations show 0a9d2b6e-1111-4222-8333-444455556666`

export function addOperations(parent: Command, shell: Shell): void {
  const operations = watchable(
    pageOptions(parent.command('operations'))
      .description('operations in stages, newest first')
      .addHelpText('after', examples),
    shell,
    async (options: PageOptions, command: Command) => {
      const client = await shell.client(command)
      const list = await client.call('listOperations', { query: pageQuery(options) })
      shell.answerPage(command, list, list.operations, operationColumns, 'there are no operations yet')
    },
  )

  watchable(
    operations
      .command('show')
      .description('one operation, region by region; exit status 1 if it was stopped or aborted')
      .argument('<id>', 'id of the operation'),
    shell,
    async (id: string, _options: object, command: Command) => {
      const client = await shell.client(command)
      const operation = await client.call('readOperation', { params: { id } })
      shell.answer(command, operation, (page) => operationLines(operation, page))
      if (operation.state !== 'running') complainOfOperation(operation)
    },
  )

  const steer = (steering: 'continue' | 'abort', help: string) => {
    operations
      .command(steering)
      .description(help)
      .argument('<id>', 'id of the operation')
      .action(async (id: string, _options: object, command: Command) => {
        const client = await shell.client(command)
        const operation = await client.call('steerOperation', { params: { id, steering } })
        shell.answer(command, operation, (page) => operationLines(operation, page))
      })
  }
  steer('continue', 'continue a stopped one with the next region')
  steer('abort', 'end it; regions that are done stay as they are')
}
