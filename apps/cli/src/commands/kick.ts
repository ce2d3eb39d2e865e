/** `imapfleet kick` and `purge-idle`: end sessions, close idle connections. */
import type { Command } from 'commander'
import { accountLines } from '../print/order.ts'
import type { Shell } from '../shell.ts'
import { runOrder, orderOptions, type OrderOptions } from './give-order.ts'

export function addKick(parent: Command, shell: Shell): void {
  orderOptions(parent.command('kick').argument('<user>', 'login name, as the mail client sends it'))
    .description(
      "end a user's sessions; the user can log in again immediately (see also `imapfleet revoke user`)",
    )
    .action(async (user: string, options: OrderOptions, command: Command) => {
      const action = { kind: 'kick-user', user } as const
      await runOrder({ action, options }, command, shell, (order, page) =>
        accountLines(order, ({ sessions }) => `sessions ended: ${sessions}`, page),
      )
    })

  orderOptions(parent.command('purge-idle').argument('[user]', 'only the connections of this login name'))
    .description('close idle server connections; sessions continue')
    .action(async (user: string | undefined, options: OrderOptions, command: Command) => {
      const action = { kind: 'purge-idle', ...(user === undefined ? {} : { user }) } as const
      await runOrder({ action, options }, command, shell, (order, page) =>
        accountLines(order, ({ connections }) => `connections closed: ${connections}`, page),
      )
    })
}
