/** Dovecot's configuration and password file: everything in one directory, everything as one account. */
import { createHash, randomBytes } from 'node:crypto'

export interface DovecotPlaces {
  port: number
  /** Directory of sockets. Short, because the path of a socket has at most 107 bytes. */
  base: string
  state: string
  mail: string
  users: string
  user: string
  group: string
}

export function dovecotConfig(places: DovecotPlaces, settings: string): string {
  return `base_dir = ${places.base}
state_dir = ${places.state}
log_path = /dev/stderr
log_timestamp = "%Y-%m-%dT%H:%M:%S.%{usecs} "
auth_verbose = yes
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
default_internal_user = ${places.user}
default_internal_group = ${places.group}
default_login_user = ${places.user}
mail_uid = ${places.user}
mail_gid = ${places.group}
first_valid_uid = 1
mail_home = ${places.mail}/%u
mail_location = maildir:~/Maildir
# A proxy logs all users in from one address: no limit per address, and no delay for all after one wrong password.
mail_max_userip_connections = 10000
auth_failure_delay = 0
passdb {
  driver = passwd-file
  args = ${places.users}
}
userdb {
  driver = static
}
namespace inbox {
  inbox = yes
  separator = .
}
service imap-login {
  chroot =
  service_count = 0
  client_limit = 4096
  process_min_avail = 1
  inet_listener imap {
    port = ${places.port}
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  chroot =
}
${settings}
`
}

/** One line of a passwd-file. */
export function passwdLine(user: string, password: string): string {
  const salt = randomBytes(8)
  const hash = createHash('sha256').update(password).update(salt).digest()
  return `${user}:{SSHA256}${Buffer.concat([hash, salt]).toString('base64')}\n`
}
