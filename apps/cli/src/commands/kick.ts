/** `imapfleet kick` and `purge-idle`: sessions and warm connections that end now. */
import type { Command } from 'commander'
import { z } from 'zod'
import type { Told } from '../account.ts'
import { accountLines } from '../print/order.ts'
import type { Shell } from '../shell.ts'
import { giveOrder, orderOptions, type OrderOptions } from './give-order.ts'

const kicked = z.object({ sessions: z.int() })
const purged = z.object({ connections: z.int() })

export function addKick(parent: Command, shell: Shell): void {
  orderOptions(parent.command('kick').argument('<user>', 'login name, as the mail client sends it'))
    .description(
      "end a user's sessions; she may log in again at once (to stop that: `imapfleet revoke user`)",
    )
    .action(async (user: string, options: OrderOptions, command: Command) => {
      const action = { kind: 'kick-user', user } as const
      await giveOrder({ action, schema: kicked, options }, command, shell, (order, told, page) =>
        accountLines(order.edges, ({ id }) => `sessions ended: ${amount(told, id, 'sessions')}`, page),
      )
    })

  orderOptions(parent.command('purge-idle').argument('[user]', 'only the connections of this login name'))
    .description('close warm connections that wait for their user; sessions go on')
    .action(async (user: string | undefined, options: OrderOptions, command: Command) => {
      const action = { kind: 'purge-idle', ...(user === undefined ? {} : { user }) } as const
      await giveOrder({ action, schema: purged, options }, command, shell, (order, told, page) =>
        accountLines(order.edges, ({ id }) => `connections closed: ${amount(told, id, 'connections')}`, page),
      )
    })
}

const amount = <Key extends string>(told: readonly Told<Record<Key, number>>[], id: string, key: Key) =>
  told.find(({ edge }) => edge === id)?.result[key] ?? 0
