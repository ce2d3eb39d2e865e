/** `imapfleet who` and `pool`: all connections to mail servers in the fleet, as the edges report them. */
import type { OrderView } from '@imapfleet/api'
import type { Command } from 'commander'
import { connectionColumns, poolColumns, poolsOf, connectionRows } from '../print/connections.ts'
import { table } from '../print/table.ts'
import type { Shell } from '../shell.ts'
import { watchable } from '../watching.ts'
import { runOrder, orderOptions, type OrderOptions } from './give-order.ts'

export function addWho(parent: Command, shell: Shell): void {
  watchable(
    orderOptions(parent.command('who').argument('[user]', 'only this login name'))
      .description('list connected users with client addresses and edges; includes idle server connections')
      .addHelpText('after', whoExamples),
    shell,
    async (user: string | undefined, options: OrderOptions, command: Command) => {
      const action = { kind: 'who', ...(user === undefined ? {} : { user }) } as const
      await runOrder({ action, options }, command, shell, (order, page) => {
        const rows = connectionRows(order)
        if (rows.length === 0)
          shell.note(
            `${user === undefined ? 'no user has a' : `${user} has no`} connection${whereAsked(order)}`,
          )
        return table(connectionColumns(Date.now()), rows, page)
      })
    },
  )

  watchable(
    orderOptions(parent.command('pool')).description(
      'the number of connections of each edge to each upstream, by state',
    ),
    shell,
    async (options: OrderOptions, command: Command) => {
      const action = { kind: 'who' } as const
      await runOrder({ action, options }, command, shell, (order, page) => {
        const rows = poolsOf(connectionRows(order))
        if (rows.length === 0) shell.note(`there are no connections${whereAsked(order)}`)
        return table(poolColumns, rows, page)
      })
    },
  )
}

/** Nothing is known about edges that did not answer. */
const whereAsked = ({ edges }: Pick<OrderView, 'edges'>) =>
  edges.every(({ status }) => status === 'answered') ? '' : ' at the edges that answered'

const whoExamples = `
Examples:
  imapfleet who alice@example.org
  imapfleet who --region eu
  imapfleet who --output json | jq '[.edges[].result[]?.user] | unique | length'`
