/** The mail server on a host, and webmail in front of an edge of it. */
import assert from 'node:assert/strict'
import { until } from '../support/until.ts'
import type { DebianHost } from './debian-host.ts'

const password = 'sesame'

/** Dovecot for any user with the password `sesame`, on port 143 of an address of the host, such as 127.0.0.1. */
export async function serveMail(host: DebianHost, address = '127.0.0.1'): Promise<void> {
  await host.sh(`
    cat > /etc/dovecot/local.conf <<'CONF'
listen = ${address}
mail_location = maildir:/srv/mail/%u
first_valid_uid = 1
mail_max_userip_connections = 100
passdb {
  driver = static
  args = password=${password}
}
userdb {
  driver = static
  args = uid=mail gid=mail home=/srv/mail/%u
}
CONF
    sed -i 's/^!include auth-system/#&/' /etc/dovecot/conf.d/10-auth.conf
    install -d -o mail -g mail /srv/mail
    systemctl restart dovecot
    systemctl disable --now imapproxy`)
}

/** Gives Dovecot a certificate of a CA that the host trusts, and the host a name for the address. */
export async function certifyMail(host: DebianHost, address: string, name: string): Promise<void> {
  await host.sh(`
    echo '${address} ${name}' >> /etc/hosts
    cd /etc/dovecot
    curve='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc'
    openssl req -x509 $curve -subj /CN=mail -keyout ca.key -out /usr/local/share/ca-certificates/mail.crt
    openssl req $curve -subj /CN=${name} -addext subjectAltName=DNS:${name} -keyout mail.key -out mail.csr
    openssl x509 -req -in mail.csr -copy_extensions copy -CA /usr/local/share/ca-certificates/mail.crt -CAkey ca.key -CAcreateserial -out mail.pem
    update-ca-certificates
    printf 'ssl = yes\\nssl_cert = </etc/dovecot/mail.pem\\nssl_key = </etc/dovecot/mail.key\\n' >> local.conf
    systemctl restart dovecot`)
}

/** A command that logs in and out at a port, and prints what it got. */
export const page = (port: number, user = 'alice'): string =>
  `/usr/lib/imapfleet/edge/node /opt/tests/imap-page.mjs ${port} ${user} ${password}`

interface Seen {
  pages: number
  commands: number
  failures: string[]
}

/** Pages and open sessions at an edge, as a service of the host. */
export class MailLoad {
  static #count = 0
  readonly #host: DebianHost
  readonly #unit = `load-${(MailLoad.#count += 1)}`

  private constructor(host: DebianHost) {
    this.#host = host
  }

  static async start(host: DebianHost, port: number): Promise<MailLoad> {
    const load = new MailLoad(host)
    await host.sh(`
      cp -n /usr/lib/imapfleet/edge/node /usr/local/bin/load-node
      systemd-run --quiet --unit=${load.#unit} --property=StandardOutput=file:${load.#output} \
        /usr/local/bin/load-node /opt/tests/imap-load.mjs ${port} alice ${password}`)
    await load.more()
    return load
  }

  /** Resolves when it went on for further pages and commands. */
  async more(): Promise<void> {
    const before = await this.#seen()
    await until(
      'more pages and commands',
      async () => {
        const { pages, commands, failures } = await this.#seen()
        return failures.length > 0 || (pages > before.pages + 20 && commands > before.commands + 20)
      },
      240_000,
    )
  }

  /** Ends it. No login failed, and no session ended before its LOGOUT. */
  async stop(): Promise<void> {
    await this.#host.sh(`systemctl stop ${this.#unit}`)
    assert.deepEqual((await this.#seen()).failures, [])
  }

  async #seen(): Promise<Seen> {
    const last = (await this.#host.sh(`tail -n 1 ${this.#output}`)).trim()
    return last === '' ? { pages: 0, commands: 0, failures: [] } : (JSON.parse(last) as Seen)
  }

  get #output(): string {
    return `/run/${this.#unit}`
  }
}
