/**
 * The mailbox of a browsing session: several folders, mails of several parts and one of 4 MB. A seed gives the same
 * bytes to every user, so that the pages of two users can be compared. Mail is delivered as files of a Maildir.
 */
import { createHash } from 'node:crypto'
import { chownSync, mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import type { Ground } from '@imapfleet/local'
import { ownDirectory } from '@imapfleet/local'
import { Random } from '../../fuzz/random.ts'

interface StoredMail {
  folder: string
  /** Letters of a Maildir. */
  flags: string
  /** Milliseconds. A Maildir assigns UIDs in the order of these. */
  date: number
  content: Buffer
}

/** Folders besides INBOX, all subscribed, with the number of their mails. */
const otherFolders: Record<string, number> = {
  Archive: 60,
  Drafts: 3,
  Junk: 4,
  Projects: 120,
  'Projects.Alpha': 30,
  Sent: 40,
  Trash: 6,
}
/** Folders that a session opens. */
export const browsedFolders = ['Archive', 'Projects', 'Projects.Alpha', 'Sent'] as const
const inboxMails = 300
/** So many mails of INBOX are newer than the large one, so that it stays on the first page. */
const newerThanLarge = 12
export const largeSubject = 'Photographs of the whole trip'
const largeBytes = 3_100_000

const firstDate = Date.UTC(2026, 0, 5, 8)
const people = [
  'Ada Byron <ada@imapfleet.example>',
  'Grace Murray <grace@imapfleet.example>',
  '=?utf-8?q?J=C3=BCrgen_Ro=C3=9F?= <juergen@imapfleet.example>',
  'Ken Iverson <ken@imapfleet.example>',
  'list@imapfleet.example',
  '"Radia, routing" <radia@imapfleet.example>',
] as const
/** A session searches for these. */
export const subjectWords = ['invoice', 'meeting', 'report', 'travel', 'release', 'lunch', 'budget'] as const

/** A user named `name` with the mails of the seed. */
export function writeMailbox(ground: Ground, name: string, seed: number): void {
  const maildir = ownDirectory(ground, 'dovecot', 'mail', name, 'Maildir')
  for (const folder of ['INBOX', ...Object.keys(otherFolders)]) makeFolder(ground, maildir, folder)
  for (const [index, mail] of mailsOf(seed).entries()) {
    const path = `${folderPath(maildir, mail.folder)}/cur/${fileName(mail, index)}:2,${mail.flags}`
    store(ground, path, mail)
  }
  const subscribed = `${Object.keys(otherFolders).join('\n')}\n`
  writeFileSync(`${maildir}/subscriptions`, subscribed, { mode: 0o600 })
  own(ground, `${maildir}/subscriptions`)
}

/** Delivers a new mail as an MTA does: into `tmp`, then by a rename into `new`. `number` counts the deliveries. */
export function deliverMail(ground: Ground, name: string, folder: string, number: number): void {
  const maildir = `${ground.directory}/dovecot/mail/${name}/Maildir`
  const random = new Random(number + 7_000_000)
  const date = firstDate + (10_000 + number) * 3_600_000
  const mail = { folder, flags: '', date, content: compose(random, `delivered ${number}`, date, 'plain') }
  const at = folderPath(maildir, folder)
  const file = fileName(mail, 10_000 + number)
  store(ground, `${at}/tmp/${file}`, mail)
  renameSync(`${at}/tmp/${file}`, `${at}/new/${file}`)
}

function makeFolder(ground: Ground, maildir: string, folder: string): void {
  const path = folderPath(maildir, folder)
  for (const directory of [path, `${path}/cur`, `${path}/new`, `${path}/tmp`]) {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    own(ground, directory)
  }
}

const folderPath = (maildir: string, folder: string) =>
  folder === 'INBOX' ? maildir : `${maildir}/.${folder}`

const fileName = (mail: StoredMail, index: number) =>
  `${mail.date / 1000}.M${index}P1.imapfleet,S=${mail.content.length}`

function store(ground: Ground, path: string, mail: StoredMail): void {
  writeFileSync(path, mail.content, { mode: 0o600 })
  // The internal date of a mail in a Maildir.
  utimesSync(path, mail.date / 1000, mail.date / 1000)
  own(ground, path)
}

function own({ account }: Ground, path: string): void {
  if (account) chownSync(path, account.uid, account.gid)
}

function mailsOf(seed: number): StoredMail[] {
  const random = new Random(seed)
  const folders = Object.entries({ INBOX: inboxMails, ...otherFolders })
  return folders.flatMap(([folder, count]) =>
    Array.from({ length: count }, (_, index): StoredMail => {
      const date = firstDate + index * 3_600_000
      const isLarge = folder === 'INBOX' && index === count - 1 - newerThanLarge
      const kind = isLarge ? 'large' : kindOf(random)
      const flags = isLarge ? 'S' : flagsOf(random)
      return { folder, flags, date, content: compose(random, `${folder} ${index}`, date, kind) }
    }),
  )
}

type MailKind = 'plain' | 'alternative' | 'attachment' | 'nested' | 'large'

function kindOf(random: Random): MailKind {
  const chance = random.next()
  if (chance < 0.5) return 'plain'
  if (chance < 0.75) return 'alternative'
  return chance < 0.9 ? 'attachment' : 'nested'
}

function flagsOf(random: Random): string {
  const flags = random.chance(0.1) ? 'F' : ''
  return random.chance(0.75) ? `${flags}${random.chance(0.2) ? 'R' : ''}S` : flags
}

/** Each subject is unique, so that a page shows which mail it is about. */
function compose(random: Random, name: string, date: number, kind: MailKind): Buffer {
  const subject = kind === 'large' ? largeSubject : `${capital(random.pick(subjectWords))} about ${name}`
  const id = createHash('sha256').update(name).digest('hex').slice(0, 16)
  const head = [
    `Return-Path: <bounce@imapfleet.example>`,
    `Date: ${new Date(date).toUTCString().replace('GMT', '+0000')}`,
    `From: ${random.pick(people)}`,
    'To: Team <team@imapfleet.example>',
    `Subject: ${subject}`,
    `Message-ID: <${id}@imapfleet.example>`,
    'MIME-Version: 1.0',
  ]
  return Buffer.from([...head, ...bodyOf(random, name, kind), ''].join('\r\n'), 'utf8')
}

/** The lines of a body, after its own header lines. */
function bodyOf(random: Random, name: string, kind: MailKind): string[] {
  const plain = ['Content-Type: text/plain; charset=utf-8', '', ...paragraphs(random, name)]
  switch (kind) {
    case 'plain':
      return plain
    case 'alternative':
      return multipart('alternative', [plain, html(random, name)])
    case 'attachment':
      return multipart('mixed', [plain, attached(name, 2_000 + random.below(60_000))])
    case 'nested':
      return multipart('mixed', [
        multipart('alternative', [plain, html(random, name)]),
        attached(name, 1_000 + random.below(20_000)),
        attached(`${name} again`, 1_000 + random.below(20_000)),
      ])
    case 'large':
      return multipart('mixed', [plain, attached(name, largeBytes)])
  }
}

function multipart(subtype: string, parts: string[][]): string[] {
  const boundary = `=_${subtype}_${createHash('sha256').update(parts.flat().join()).digest('hex').slice(0, 12)}`
  const bodies = parts.flatMap((part) => [`--${boundary}`, ...part])
  return [`Content-Type: multipart/${subtype}; boundary="${boundary}"`, '', ...bodies, `--${boundary}--`]
}

function html(random: Random, name: string): string[] {
  const text = paragraphs(random, name).map((line) => `<p>${line}</p>`)
  return ['Content-Type: text/html; charset=utf-8', '', '<html><body>', ...text, '</body></html>']
}

function attached(name: string, bytes: number): string[] {
  const block = createHash('sha512').update(name).digest('hex')
  const content = Buffer.alloc(bytes, block).toString('base64')
  return [
    'Content-Type: application/octet-stream; name="data.bin"',
    'Content-Transfer-Encoding: base64',
    'Content-Disposition: attachment; filename="data.bin"',
    '',
    ...(content.match(/.{1,76}/g) ?? []),
  ]
}

function paragraphs(random: Random, name: string): string[] {
  const lines = 3 + random.below(60)
  const line = () =>
    Array.from({ length: 10 }, () =>
      random.chance(0.1) ? random.pick(subjectWords) : random.letters(2 + random.below(8)),
    )
  return [`This is ${name}.`, '', ...Array.from({ length: lines }, () => line().join(' '))]
}

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)
