/** A real Courier IMAP server. */
import type { MailUser } from '@imapfleet/local'
import { runCommand } from './command.ts'
import { startInRoot, type RootServer } from './debian-root.ts'

const authdaemonrc = `
authmodulelist="authuserdb"
authmodulelistorig="authuserdb"
daemons=3
authdaemonvar=/run/courier/authdaemon
`

export interface CourierLimits {
  /** Connections at once from one address (MAXPERIP). */
  perAddressMax?: number
  /** Connections at once (MAXDAEMONS). */
  connectionsMax?: number
}

export async function startCourier(
  users: readonly MailUser[],
  { perAddressMax = 20, connectionsMax = 40 }: CourierLimits = {},
): Promise<RootServer> {
  const lines = await Promise.all(users.map(userdbLine))
  return startInRoot({
    root: 'courier',
    files: () => ({ authdaemonrc, userdb: lines.join('') }),
    script: (port) => `
      mkdir -p /run/courier/authdaemon
      cp /mnt/authdaemonrc /mnt/userdb /etc/courier/
      chmod 600 /etc/courier/userdb
      makeuserdb
      for home in ${users.map(({ user }) => `/mnt/mail/${user}`).join(' ')}; do
        mkdir -p $home
        maildirmake $home/Maildir
      done
      chown -R mail:mail /mnt/mail
      set -a
      . /etc/courier/authdaemonrc
      . /etc/courier/imapd
      . /etc/courier/imapd-ssl
      /usr/lib/courier/courier-authlib/authdaemond &
      couriertcpd -address=127.0.0.1 -maxprocs=${connectionsMax} -maxperip=${perAddressMax} -nodnslookup -noidentlookup \\
        ${port} /usr/lib/courier/courier/imaplogin /usr/bin/imapd Maildir
    `,
  })
}

async function userdbLine({ user, password }: MailUser): Promise<string> {
  const { stdout } = await runCommand('openssl', ['passwd', '-6', password])
  return `${user}\tuid=8|gid=8|home=/mnt/mail/${user}|shell=/bin/sh|systempw=${stdout.trim()}\n`
}
