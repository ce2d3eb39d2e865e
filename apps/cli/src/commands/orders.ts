/** `imapfleet orders`: past orders with their answers. */
import type { Command } from 'commander'
import { complainOf } from '../account.ts'
import { pageQuery, pageOptions, type PageOptions } from '../options.ts'
import { orderColumns, orderLines } from '../print/order.ts'
import { table } from '../print/table.ts'
import type { Shell } from '../shell.ts'

export function addOrders(parent: Command, shell: Shell): void {
  const orders = pageOptions(parent.command('orders'))
    .description('orders sent to edges, newest first')
    .action(async (options: PageOptions, command: Command) => {
      const list = await (await shell.api(command)).orders(pageQuery(options))
      if (list.orders.length === 0) shell.note('there are no orders yet')
      shell.answer(command, list, (page) => table(orderColumns, list.orders, page))
      shell.noteNext(command, list.next)
    })

  orders
    .command('show')
    .description('one order with the answer of each edge')
    .argument('<id>', 'id of the order')
    .action(async (id: string, _options: object, command: Command) => {
      const order = await (await shell.api(command)).orderOf(id)
      shell.answer(command, order, (page) => orderLines(order, page))
      complainOf(order)
    })
}
