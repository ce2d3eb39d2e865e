/**
 * The mail of simulated users. All data of a user has the mark of the user, so that it is recognized wherever it
 * arrives. Every body ends with a checksum, so that a wrong byte in it is detected.
 */
import type { Chance } from './chance.ts'

export interface Message {
  readonly uid: number
  readonly body: string
  readonly flags: Set<string>
  modseq: number
  /** The modseq of the last change of its flags; 0: none. */
  flaggedAt: number
}

export class Mailbox {
  readonly name: string
  readonly uidValidity: number
  readonly owner: string
  uidNext = 1
  modseq = 1
  /** In the order of their UIDs. */
  messages: Message[] = []
  /** All keywords that a message has had. */
  readonly keywords = new Set<string>()
  /** Bodies of all present and removed messages, by UID. */
  readonly bodies: string[] = []

  constructor(owner: string, name: string, uidValidity: number) {
    this.owner = owner
    this.name = name
    this.uidValidity = uidValidity
  }

  add(body: string, flags: readonly string[] = []): Message {
    const message = { uid: this.uidNext++, body, flags: new Set(flags), modseq: ++this.modseq, flaggedAt: 0 }
    this.messages.push(message)
    this.bodies.push(body)
    return message
  }

  /** The flags of a message have changed. */
  flag(message: Message): void {
    for (const flag of message.flags) if (!flag.startsWith('\\')) this.keywords.add(flag)
    message.modseq = message.flaggedAt = ++this.modseq
  }

  remove(uid: number): void {
    this.messages = this.messages.filter((message) => message.uid !== uid)
    this.modseq++
  }

  find(uid: number): Message | undefined {
    return this.messages.find((message) => message.uid === uid)
  }
}

export class Account {
  readonly name: string
  /** Passwords that the server accepts now. */
  readonly secrets: Set<string>
  readonly mailboxes = new Map<string, Mailbox>()
  isDisabled = false
  readonly #bigMailRate: number

  /** @param bigMailRate share of its messages that are large */
  constructor(name: string, secrets: readonly string[], chance: Chance, bigMailRate: number) {
    this.name = name
    this.#bigMailRate = bigMailRate
    this.secrets = new Set(secrets)
    for (const mailbox of ['INBOX', `Work${markOf(name)}`, `Sent${markOf(name)}`])
      this.mailboxes.set(mailbox, new Mailbox(name, mailbox, chance.between(1, 99_999)))
    for (const mailbox of this.mailboxes.values())
      for (let count = chance.below(6); count > 0; count--) mailbox.add(this.#newBody(chance))
  }

  /** The newest password that is valid. */
  get latestSecret(): string {
    return [...this.secrets].at(-1) ?? neverValid
  }

  /** Whether a message of the user, or one of its parts, begins with this text. */
  hasMailWith(beginning: string): boolean {
    return [...this.mailboxes.values()].some(({ bodies }) =>
      bodies.some(
        (body, index) =>
          body.startsWith(beginning) ||
          partNames.some((name) => partOf(this.name, name, index + 1)!.startsWith(beginning)),
      ),
    )
  }

  #newBody(chance: Chance): string {
    return chance.happens(this.#bigMailRate)
      ? appended(this.name, 'nobody', 400_000)
      : newBody(this.name, chance)
  }

  /** Simulates a change by another client. */
  changeByOthers(chance: Chance): void {
    const mailbox = chance.pick([...this.mailboxes.values()])
    const [first] = mailbox.messages
    if (first && mailbox.messages.length > 12) mailbox.remove(first.uid)
    else if (first && chance.happens(0.5)) this.#removeOrFlag(mailbox, chance)
    else mailbox.add(this.#newBody(chance))
  }

  #removeOrFlag(mailbox: Mailbox, chance: Chance): void {
    if (chance.happens(0.6)) mailbox.remove(chance.pick(mailbox.messages).uid)
    else {
      const message = chance.pick(mailbox.messages)
      const [present] = message.flags
      if (present !== undefined && chance.happens(0.3)) message.flags.delete(present)
      else if (chance.happens(0.6)) message.flags.add(`k${chance.below(100)}`)
      else message.flags.add(chance.pick(['\\Flagged', '\\Answered', '\\Seen']))
      mailbox.flag(message)
    }
  }
}

/** All users of simulated worlds. */
export const allUsers = ['ann', 'amy', 'bob', 'ben', 'eve'] as const

/** The mark in every text that belongs to a user. */
export const markOf = (user: string): string => `~${user}~`

const ownerMark = new RegExp(`~(${allUsers.join('|')})~`, 'g')

/** All users whose marks are in a text. */
export const ownersIn = (text: string): Set<string> =>
  new Set(Array.from(text.matchAll(ownerMark), ([, name]) => name!))

/** Lines in a mail that look like lines of a server or a client. */
const traps = [
  '* BYE Server is stopping, try again',
  'A000010001 OK Completed',
  '* 1 EXPUNGE',
  '* OK [CAPABILITY IMAP4rev1] ready',
  ') {12}',
  '+ idling',
  'x LOGOUT',
]

function newBody(user: string, chance: Chance): string {
  const lines = [`From: ${markOf(user)}`, '']
  const count = chance.pick([0, 1, 3, 3, 8, 60])
  for (let line = 0; line < count; line++)
    lines.push(chance.happens(0.3) ? chance.pick(traps) : `line ${chance.below(1e9)} ${markOf(user)}`)
  return sealed(`${lines.join('\r\n')}\r\n`)
}

/** Adds a checksum as the last line. */
const sealed = (text: string): string => `${text}#${checksum(text)}\r\n`

export function isSealed(text: string): boolean {
  const at = text.lastIndexOf('#')
  return at >= 0 && text.slice(at) === `#${checksum(text.slice(0, at))}\r\n`
}

function checksum(text: string): string {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return (hash >>> 0).toString(16)
}

/**
 * The passwords of every user: two that are valid at the start, one that is never valid, and their replacements. They are
 * the same for all users, so that only the name distinguishes users.
 */
export const secrets = ['pw-one', 'pw-two', 'pw-wrong', 'pw-new1', 'pw-new2', 'pw-new3'] as const
export const neverValid = 'pw-wrong'

/** A message that a client appends. */
export const appended = (user: string, tag: string, size: number): string =>
  sealed(`appended by ${tag} ${markOf(user)}\r\n${'x'.repeat(size)}\r\n`)

/** The parts that every message has. */
const partNames = ['1', '1.2', '1.MIME', '2']

/** The text at the beginning of a part of a message. */
export const partMark = (name: string, uid: number): string => `part ${name} of ${uid}`

/** @returns undefined if messages have no such part */
export const partOf = (owner: string, name: string, uid: number): string | undefined =>
  partNames.includes(name) ? appended(owner, partMark(name, uid), sizeOfPart(name, uid)) : undefined

/** Some parts are longer than the range that an edge requests. */
const sizeOfPart = (name: string, uid: number): number =>
  name === '2' && hasLargeParts(uid) ? 40_000 : uid % 3

const hasLargeParts = (uid: number): boolean => uid % 3 === 0

/** The size of a message with all its parts, as the server reports it. */
export const sizeOf = ({ uid, body }: Message): number => body.length + (hasLargeParts(uid) ? 200_000 : 0)
