/** Another client of a mailbox: it changes flags, moves, deletes and appends mails all the while, and keeps the history. */
import { setTimeout as pause } from 'node:timers/promises'
import { ImapFlow } from 'imapflow'
import { Random } from '../../fuzz/random.ts'
import { browsedFolders, largeSubject } from './mailbox.ts'
import type { MailboxHistory, ShownFlag, Span } from './mailbox-history.ts'
import type { BrowsingUser } from './session.ts'

const folders = ['INBOX', ...browsedFolders] as const
const pauseMs = 40
const imapFlags = { isSeen: '\\Seen', isFlagged: '\\Flagged' } as const
/** So many mails of a folder are left. */
const leastMails = 20

interface KnownMail {
  uid: number
  subject: string
  isSeen: boolean
  isFlagged: boolean
}

export class MailboxChanger {
  readonly #client: ImapFlow
  readonly #history: MailboxHistory
  readonly #random: Random
  readonly #mails = new Map<string, KnownMail[]>()
  #isStopped = false
  #changing: Promise<void> | undefined
  #appended = 0

  constructor(port: number, user: BrowsingUser, history: MailboxHistory, seed: number) {
    const auth = { user: user.name, pass: user.password }
    this.#client = new ImapFlow({ host: '127.0.0.1', port, secure: false, auth, logger: false })
    this.#history = history
    this.#random = new Random(seed)
  }

  /** Reads the mailbox, and begins to change it. */
  async start(): Promise<void> {
    await this.#client.connect()
    for (const folder of folders) {
      const mails = await this.read(folder)
      this.#mails.set(
        folder,
        mails.filter(({ subject }) => subject !== largeSubject),
      )
      for (const mail of mails) this.#history.add(folder, mail, { from: 0, to: 0 })
    }
    this.#changing = this.#changeOn()
  }

  /** Ends the changes. */
  async rest(): Promise<void> {
    this.#isStopped = true
    await this.#changing
  }

  /** What the server has. */
  async read(folder: string): Promise<KnownMail[]> {
    const lock = await this.#client.getMailboxLock(folder)
    try {
      const mails: KnownMail[] = []
      for await (const { uid, flags, envelope } of this.#client.fetch('1:*', {
        uid: true,
        flags: true,
        envelope: true,
      }))
        mails.push({
          uid,
          subject: envelope?.subject ?? '',
          isSeen: flags?.has(imapFlags.isSeen) ?? false,
          isFlagged: flags?.has(imapFlags.isFlagged) ?? false,
        })
      return mails
    } finally {
      lock.release()
    }
  }

  async close(): Promise<void> {
    await this.rest()
    await this.#client.logout()
  }

  async #changeOn(): Promise<void> {
    while (!this.#isStopped) {
      const folder = this.#random.chance(0.6) ? 'INBOX' : this.#random.pick(folders)
      const lock = await this.#client.getMailboxLock(folder)
      try {
        await this.#changeOnce(folder)
      } finally {
        lock.release()
      }
      await pause(this.#random.below(pauseMs))
    }
  }

  async #changeOnce(folder: string): Promise<void> {
    const mails = this.#mails.get(folder) ?? []
    const chance = this.#random.next()
    if (chance < 0.2 || mails.length < leastMails) return this.#append(folder, mails)
    // Mostly new ones, which lists show.
    const newest = this.#random.chance(0.8) ? Math.min(mails.length, 40) : mails.length
    const index = mails.length - 1 - this.#random.below(newest)
    const mail = mails[index]
    if (!mail) return
    if (chance < 0.4) {
      mails.splice(index, 1)
      return this.#remove(folder, mail)
    }
    return this.#toggle(folder, mail, this.#random.pick(['isSeen', 'isFlagged']))
  }

  async #append(folder: string, mails: KnownMail[]): Promise<void> {
    const name = `appended ${++this.#appended} to ${folder}`
    const subject = `Report about ${name}`
    const lines = [
      'From: Another <other@imapfleet.example>',
      `Subject: ${subject}`,
      '',
      `This is ${name}.`,
      '',
    ]
    await this.#during(async (span) => {
      const appended = await this.#client.append(folder, lines.join('\r\n'))
      if (!appended || appended.uid === undefined) throw new Error(`cannot append to ${folder}`)
      const mail = { uid: appended.uid, subject, isSeen: false, isFlagged: false }
      mails.push(mail)
      this.#history.add(folder, mail, span)
    })
  }

  async #remove(folder: string, { uid }: KnownMail): Promise<void> {
    await this.#during(async (span) => {
      this.#history.remove(folder, uid, span)
      if (this.#random.chance(0.5)) await this.#client.messageMove(String(uid), 'Trash', { uid: true })
      else await this.#client.messageDelete(String(uid), { uid: true })
    })
  }

  async #toggle(folder: string, mail: KnownMail, flag: ShownFlag): Promise<void> {
    const value = !mail[flag]
    mail[flag] = value
    await this.#during(async (span) => {
      this.#history.change(folder, mail.uid, flag, value, span)
      const flags = [imapFlags[flag]]
      if (value) await this.#client.messageFlagsAdd(String(mail.uid), flags, { uid: true })
      else await this.#client.messageFlagsRemove(String(mail.uid), flags, { uid: true })
    })
  }

  /** `act` hands the span to the history. It ends with the reply. */
  async #during(act: (span: Span) => Promise<void>): Promise<void> {
    const span = { from: performance.now(), to: Infinity }
    await act(span)
    span.to = performance.now()
  }
}
