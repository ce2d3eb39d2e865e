/** `imapfleet kick`, `purge-idle`, `upstream`, `route`, `reset-counters`, `newlog`, and `orders` for past ones. */
import { readWholeOrder } from '@imapfleet/client'
import type { OrderAction } from '@imapfleet/protocol'
import type { Command } from 'commander'
import { usage } from '../failure.ts'
import { pageOptions, pageQuery, type PageOptions } from '../options.ts'
import { accountLines, orderColumns, orderLines } from '../print/order.ts'
import type { Shell } from '../shell.ts'
import { watchable } from '../watching.ts'
import { complainOf, orderOptions, runOrder, type OrderOptions } from './give-order.ts'
import { stageOptions, type StageOptions } from './stages.ts'

type StagedOrder = OrderOptions & StageOptions

export function addOrders(parent: Command, shell: Shell): void {
  const orders = watchable(
    pageOptions(parent.command('orders')).description('orders sent to edges, newest first'),
    shell,
    async (options: PageOptions, command: Command) => {
      const client = await shell.client(command)
      const list = await client.call('listOrders', { query: pageQuery(options) })
      shell.answerPage(command, list, list.orders, orderColumns, 'there are no orders yet')
    },
  )

  orders
    .command('show')
    .description('one order with the answer of each edge')
    .argument('<id>', 'id of the order')
    .action(async (id: string, _options: object, command: Command) => {
      const client = await shell.client(command)
      const order = await readWholeOrder(client, id)
      shell.answer(command, order, (page) => orderLines(order, page))
      complainOf(order)
    })
}

export function addKick(parent: Command, shell: Shell): void {
  const kick = stageOptions(orderOptions(parent.command('kick')))
    .argument('[user]', 'login name, as the mail client sends it')
    .option('--domain <domain>', 'every user whose name ends in @DOMAIN, region by region')
    .description(
      'end the sessions of a user or a domain; they can log in again immediately (see also `imapfleet revoke`)',
    )
  kick.action(
    async (user: string | undefined, options: StagedOrder & { domain?: string }, command: Command) => {
      const { domain } = options
      if ((user === undefined) === (domain === undefined)) throw usage('name a user, or give --domain DOMAIN')
      const action: OrderAction<'kick-user' | 'kick-domain'> =
        user === undefined ? { kind: 'kick-domain', domain: domain ?? '' } : { kind: 'kick-user', user }
      await runOrder({ action, options }, command, shell, (order, page) =>
        accountLines(order, ({ sessions }) => `sessions ended: ${sessions}`, page),
      )
    },
  )

  stageOptions(orderOptions(parent.command('purge-idle')))
    .argument('[user]', 'only the connections of this login name')
    .description('close idle server connections; sessions continue')
    .action(async (user: string | undefined, options: StagedOrder, command: Command) => {
      const action = { kind: 'purge-idle', ...(user === undefined ? {} : { user }) } as const
      await runOrder({ action, options }, command, shell, (order, page) =>
        accountLines(order, ({ connections }) => `connections closed: ${connections}`, page),
      )
    })
}

export function addTell(parent: Command, shell: Shell): void {
  const tell = async (
    action: OrderAction,
    done: string,
    options: OrderOptions & Partial<StageOptions>,
    command: Command,
  ) => {
    await runOrder({ action, options }, command, shell, (order, page) =>
      accountLines(order, () => done, page),
    )
  }

  const upstream = parent
    .command('upstream')
    .description('make edges stop opening connections to an upstream, or open them again')
  const steer = (word: 'pause' | 'resume', help: string, done: string) => {
    const options = word === 'pause' ? stageOptions : (plain: Command) => plain
    options(orderOptions(upstream.command(word)))
      .argument('<name>', 'name of the upstream in the configuration')
      .description(help)
      .action(async (name: string, given: StagedOrder, command: Command) => {
        await tell({ kind: `${word}-upstream`, upstream: name }, done, given, command)
      })
  }
  steer('pause', 'open no new connections to it, until `resume` or until the edge restarts', 'paused')
  steer('resume', 'open connections to it again', 'resumed')

  orderOptions(parent.command('route').argument('<user>', 'login name, as the mail client sends it'))
    .description('show to which upstream each edge routes this user; changes nothing')
    .option('--listener <name>', 'assume that the user connects through this listener')
    .action(async (user: string, options: OrderOptions & { listener?: string }, command: Command) => {
      const { listener } = options
      const action = { kind: 'route-lookup', user, ...(listener === undefined ? {} : { listener }) } as const
      await runOrder({ action, options }, command, shell, (order, page) =>
        accountLines(order, (result) => result.upstream, page),
      )
    })

  orderOptions(parent.command('reset-counters'))
    .description("reset an edge's totals and peaks; the history is not affected")
    .action(async (options: OrderOptions, command: Command) => {
      await tell({ kind: 'reset-counters' }, 'reset', options, command)
    })

  orderOptions(parent.command('newlog'))
    .description('make edges reopen their log files, after log rotation has moved them')
    .action(async (options: OrderOptions, command: Command) => {
      await tell({ kind: 'newlog' }, 'reopened', options, command)
    })
}
