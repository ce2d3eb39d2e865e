/** Real Dovecot for tests of a single edge, with its mailboxes and the count of its logins. */
import {
  dovecotServer,
  removeTemporaryDirectory,
  type Dovecot,
  type DovecotOptions,
  type Ground,
} from '@imapfleet/local'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryGround } from './lone-edge.ts'
import { MailSocket } from './mail-socket.ts'
import { until } from './until.ts'

/** A user that logs in last, to see that the log holds every earlier login. */
const witness = { user: 'witness', password: 'witness', mailbox: 'small' as const }

export class MailServer {
  readonly ground: Ground
  readonly #dovecot: Dovecot

  private constructor(ground: Ground, dovecot: Dovecot) {
    this.ground = ground
    this.#dovecot = dovecot
  }

  /** `prepare` may write files into the ground. It returns more lines for dovecot.conf. */
  static async start(
    users: DovecotOptions['users'],
    prepare: (ground: Ground) => Promise<string> = async () => '',
  ): Promise<MailServer> {
    const ground = temporaryGround()
    const settings = await prepare(ground)
    const dovecot = await dovecotServer({ ground, users: [witness, ...(users ?? [])], settings })
    await dovecot.process.start()
    return new MailServer(ground, dovecot)
  }

  get port(): number {
    return this.#dovecot.port
  }

  /** Replaces the password of a user. Resolves when the server accepts it. */
  async setPassword(user: string, password: string): Promise<void> {
    this.#dovecot.setPassword({ user, password })
    await until('the new password', async () => {
      const client = await MailSocket.greeted({ port: this.port })
      const said = await client.command(`LOGIN ${user} ${password}`)
      await client.close()
      return said.status === 'OK'
    })
  }

  async stop(): Promise<void> {
    await this.#dovecot.process.stop()
    await removeTemporaryDirectory(this.ground.directory)
  }

  /** The mails of a folder as stored on disk. */
  async mails(user: string, folder = 'INBOX'): Promise<Buffer[]> {
    const maildir = join(this.ground.directory, 'dovecot/mail', user, 'Maildir')
    const path = folder === 'INBOX' ? maildir : join(maildir, `.${folder}`)
    const files = await Promise.all(
      ['cur', 'new'].map(async (sub) =>
        (await readdir(join(path, sub))).map((name) => join(path, sub, name)),
      ),
    )
    return Promise.all(files.flat().map((file) => readFile(file)))
  }

  /** What Dovecot has logged so far. */
  log(): Promise<string> {
    return readFile(this.#dovecot.process.logFile, 'utf8')
  }

  /** Waits for the first line of its log that matches. */
  logged(words: RegExp): Promise<string> {
    return until(`${words} in the log of Dovecot`, async () =>
      (await this.log()).split('\n').find((line) => words.test(line)),
    )
  }

  /** Logins with the old one fail from now on. Connections that are logged in stay. */
  async changePassword(user: string, password: string): Promise<void> {
    const file = join(this.ground.directory, 'dovecot/users')
    const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => !line.startsWith(`${user}:`))
    // Written in place, so that Dovecot may still read it.
    await writeFile(file, [`${user}:{PLAIN}${password}`, ...lines].join('\n'))
    await until(`the new password of ${user}`, async () => {
      const client = await MailSocket.greeted({ port: this.port })
      const { text } = await client.command(`LOGIN ${user} "${password}"`)
      await client.close()
      return !text.startsWith('[AUTHENTICATIONFAILED]')
    })
  }

  /** Number of successful logins of this user so far, counting only log lines that contain `how`. */
  async logins(user: string, how = /./): Promise<number> {
    const count = async (name: string, words = /./) =>
      (await this.log())
        .split('\n')
        .filter((line) => line.includes(`Login: user=<${name}>`) && words.test(line)).length
    const before = await count(witness.user)
    const client = await MailSocket.greeted({ port: this.port })
    await client.command(`LOGIN ${witness.user} ${witness.password}`)
    await client.close()
    await until('the witness in the log', async () => (await count(witness.user)) > before)
    return count(user, how)
  }
}
