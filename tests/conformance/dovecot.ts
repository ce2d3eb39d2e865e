/** A real Dovecot 2.3 without privileges in a temporary directory. Any user can log in with `secret-of-NAME`. */
import { existsSync } from 'node:fs'
import { chmod, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { freePort, removeTemporaryDirectory, temporaryDirectory } from '@imapfleet/local'
import { mailOf } from '../support/stub-mail.ts'
import { sessionOf } from './checks.ts'
import { isRoot, listening, startChild } from './child.ts'
import type { MailAccount } from './scenario.ts'
import { WireClient } from './wire.ts'

export const dovecotProgram = '/usr/sbin/dovecot'
export const haveDovecot = existsSync(dovecotProgram)

export interface ConformanceDovecot {
  port: number
  stop(): Promise<void>
}

export async function startDovecot(): Promise<ConformanceDovecot> {
  const directory = temporaryDirectory('dovecot')
  await chmod(directory, 0o777)
  const port = await freePort()
  const file = join(directory, 'dovecot.conf')
  await writeFile(file, configuration(directory, port, isRoot ? 'nobody' : userInfo().username))
  const child = startChild(dovecotProgram, ['-F', '-c', file], { unprivileged: true })
  await listening(child, port)
  return {
    port,
    stop: async () => {
      await child.stop()
      await removeTemporaryDirectory(directory)
    },
  }
}

/** Sets an account up as the stub server does: three mails, and a mailbox with the user's name. */
export async function makeAccount(dovecot: ConformanceDovecot, user: MailAccount): Promise<void> {
  const client = await loginAt(dovecot, user)
  await client.command(`CREATE box-of-${user.name}`)
  for (const number of [1, 2, 3]) {
    const body = mailOf(user.name, number).toString('latin1')
    await client.command(`APPEND INBOX {${body.length}+}\r\n${body}`)
  }
  await client.kill()
}

export async function deliverTo(dovecot: ConformanceDovecot, user: MailAccount, body: string): Promise<void> {
  const client = await loginAt(dovecot, user)
  await client.command(`APPEND INBOX {${body.length}+}\r\n${body}`)
  await client.kill()
}

/** The bodies in INBOX, read from Dovecot without the proxy. */
export async function bodiesIn(dovecot: ConformanceDovecot, user: MailAccount): Promise<string[]> {
  const client = await loginAt(dovecot, user)
  await client.command('EXAMINE INBOX')
  const { untagged } = await client.command('FETCH 1:* BODY.PEEK[]')
  await client.kill()
  return untagged.flatMap((line) => /\{\d+\}\r\n([\s\S]*)\)$/.exec(line)?.[1] ?? [])
}

async function loginAt(dovecot: ConformanceDovecot, user: MailAccount): Promise<WireClient> {
  const client = await WireClient.open(dovecot.port, 'direct', 6000)
  await client.response('the greeting of Dovecot')
  sessionOf(client, user, await client.command(`LOGIN ${user.name} ${user.secret}`))
  return client
}

const configuration = (directory: string, port: number, user: string) => `
base_dir = ${directory}/run
state_dir = ${directory}/state
log_path = ${directory}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
default_internal_user = ${user}
default_login_user = ${user}
default_internal_group = ${user === 'nobody' ? 'nogroup' : user}
mail_location = maildir:${directory}/mail/%u
mail_max_userip_connections = 200
mail_plugins = zlib
first_valid_uid = 1
protocol imap {
  imap_max_line_length = 1M
  mail_plugins = zlib imap_zlib
}
namespace inbox {
  inbox = yes
}
passdb {
  driver = static
  args = password=secret-of-%u
}
userdb {
  driver = static
  args = uid=${user} gid=${user === 'nobody' ? 'nogroup' : user} home=${directory}/mail/%u
}
service anvil {
  chroot =
  # No growing delay after a wrong password: all users share one address here.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  chroot =
}
service imap-login {
  chroot =
  service_count = 0
  process_min_avail = 1
  inet_listener imap {
    address = 127.0.0.1
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
service imap {
  service_count = 0
  client_limit = 50
}
`
