/** Other orders: `upstream pause` and `resume`, `route`, `reset-counters`, `newlog`. */
import type { OrderAction } from '@imapfleet/protocol'
import type { Command } from 'commander'
import { accountLines } from '../print/order.ts'
import type { Shell } from '../shell.ts'
import { runOrder, orderOptions, type OrderOptions } from './give-order.ts'

export function addTell(parent: Command, shell: Shell): void {
  const tell = async (action: OrderAction, done: string, options: OrderOptions, command: Command) => {
    await runOrder({ action, options }, command, shell, (order, page) =>
      accountLines(order, () => done, page),
    )
  }

  const upstream = parent
    .command('upstream')
    .description('make edges stop opening connections to an upstream, or open them again')
  const steer = (word: 'pause' | 'resume', help: string, done: string) => {
    orderOptions(upstream.command(word).argument('<name>', 'name of the upstream in the configuration'))
      .description(help)
      .action(async (name: string, options: OrderOptions, command: Command) => {
        await tell({ kind: `${word}-upstream`, upstream: name }, done, options, command)
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
