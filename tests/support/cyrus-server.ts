/** A real Cyrus IMAP server. Each user has an INBOX, which is created at the first login. */
import type { MailUser } from '@imapfleet/local'
import { startInRoot, type RootServer } from './debian-root.ts'

const imapdConf = `
configdirectory: /mnt/lib
proc_path: /mnt/lib/proc
mboxname_lockpath: /mnt/lib/lock
defaultpartition: default
partition-default: /mnt/spool
servername: cyrus.example
allowplaintext: yes
sasl_mech_list: PLAIN LOGIN
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: /mnt/sasldb2
altnamespace: yes
unixhierarchysep: yes
autocreate_users: anyone
autocreate_post: no
autocreate_quota: 0
`

const cyrusConf = (port: number) => `
START {
  recover cmd="ctl_cyrusdb -C /mnt/imapd.conf -r"
}
SERVICES {
  imap cmd="imapd -C /mnt/imapd.conf" listen="127.0.0.1:${port}" prefork=1 proto=tcp4
}
EVENTS {
  checkpoint cmd="ctl_cyrusdb -C /mnt/imapd.conf -c" period=30
}
`

/** @param settings more lines of imapd.conf */
export const startCyrus = (users: readonly MailUser[], settings = ''): Promise<RootServer> =>
  startInRoot({
    root: 'cyrus',
    files: (port) => ({
      'imapd.conf': imapdConf + settings,
      'cyrus.conf': cyrusConf(port),
      passwords: users.map(({ user, password }) => `${user} ${password}\n`).join(''),
    }),
    script: () => `
      cd /mnt
      mkdir -p lib/proc lib/db lib/socket lib/log lib/lock spool
      while read -r user password; do
        printf '%s\\n' "$password" | saslpasswd2 -f sasldb2 -p -c -u cyrus.example "$user"
      done < passwords
      rm passwords
      chown -R cyrus:mail .
      /usr/lib/cyrus/bin/master -D -C /mnt/imapd.conf -M /mnt/cyrus.conf
    `,
  })
