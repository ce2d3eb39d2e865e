/**
 * Mail for demonstration and tests: what real mailboxes contain, and what breaks proxies. 8-bit text, very long
 * lines, attachments, text that looks like IMAP. A user always gets the same bytes.
 */
import { createHash } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { SystemAccount } from './account.ts'

export interface Message {
  /** IMAP name in modified UTF-7, as it is sent. */
  folder: string
  flags: '' | 'S' | 'FS' | 'RS'
  /** With CRLF line ends, as FETCH BODY[] returns it. */
  content: Buffer
}

/** `small`: two short mails, for many users. */
export type MailboxKind = 'demo' | 'small'

/** Writes a Maildir, completely or not at all. It never overwrites one. */
export function writeMaildir(maildir: string, write: () => Message[], owner?: SystemAccount): void {
  if (existsSync(maildir)) return
  const messages = write()
  const fresh = `${maildir}.new`
  rmSync(fresh, { recursive: true, force: true })
  const made = (path: string) => owner && chownSync(path, owner.uid, owner.gid)
  const folders = [
    'INBOX',
    ...new Set(messages.map(({ folder }) => folder).filter((name) => name !== 'INBOX')),
  ]
  for (const folder of folders) {
    const path = folder === 'INBOX' ? fresh : `${fresh}/.${folder}`
    for (const directory of [path, `${path}/cur`, `${path}/new`, `${path}/tmp`]) {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      made(directory)
    }
  }
  for (const [index, { folder, flags, content }] of messages.entries()) {
    const path = folder === 'INBOX' ? fresh : `${fresh}/.${folder}`
    const file = `${path}/cur/${firstDay / 1000 + index * 3600}.M${index}P1.imapfleet,S=${content.length}:2,${flags}`
    writeFileSync(file, content, { mode: 0o600 })
    made(file)
  }
  renameSync(fresh, maildir)
}

export function messagesFor(user: string, kind: MailboxKind): Message[] {
  const welcome = mail(user, 'Welcome', [
    `Hello ${user},`,
    '',
    'this mail came through imapfleet if you read it on one of its ports.',
  ])
  const second = mail(user, 'Second', ['A short one.'], 'S')
  if (kind === 'small') return [welcome, second]
  return [
    welcome,
    second,
    mail(user, 'Grüße aus Köln', ['Straße, naïve, 日本語, Ελληνικά, 🐟', 'and plain ASCII again'], 'S', {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Transfer-Encoding': '8bit',
    }),
    everyByte(user),
    mail(user, 'One line of 120,000 characters', ['x'.repeat(120_000), 'a short line after it'], 'S'),
    mail(user, 'Text that looks like IMAP', imapLookalike, 'FS'),
    attachment(user, 'Photograph', 300_000),
    attachment(user, 'Large attachment', 2_000_000),
    mail(user, 'No body', [], 'RS'),
    { ...mail(user, 'Sent once', ['Thank you.'], 'S'), folder: 'Sent' },
    { ...mail(user, 'Draft', ['Dear'], 'S'), folder: 'Entw&APw-rfe' },
    { ...mail(user, 'Old', ['Kept.'], 'S'), folder: 'Archive.2025' },
    { ...mail(user, 'Older', ['Kept, too.'], 'S'), folder: 'Archive.Two words' },
  ]
}

const imapLookalike = [
  'A1 OK LOGIN completed',
  '* BYE Autologout',
  '+ idling',
  '* OK [XPROXYREUSE] not from here',
  'a literal: {5}',
  'body ends with a parenthesis and a tag)',
  'a002 NO [AUTHENTICATIONFAILED] neither',
  '.',
]

const firstDay = Date.UTC(2026, 0, 5, 8)

function mail(
  user: string,
  subject: string,
  lines: string[],
  flags: Message['flags'] = '',
  headers: Record<string, string> = {},
): Message {
  const head = Object.entries({ ...headersOf(user, subject), ...headers }).map(
    ([key, value]) => `${key}: ${value}`,
  )
  return { folder: 'INBOX', flags, content: Buffer.from([...head, '', ...lines, ''].join('\r\n'), 'utf8') }
}

function headersOf(user: string, subject: string): Record<string, string> {
  const id = createHash('sha256').update(`${user} ${subject}`).digest('hex').slice(0, 16)
  return {
    'Return-Path': '<demo@imapfleet.example>',
    Date: new Date(firstDay).toUTCString().replace('GMT', '+0000'),
    From: 'Demo <demo@imapfleet.example>',
    To: `${user}@imapfleet.example`,
    Subject: subject,
    'Message-ID': `<${id}@imapfleet.example>`,
    'MIME-Version': '1.0',
  }
}

/** Every byte that is allowed in a line of a mail: all except NUL, CR and LF. */
function everyByte(user: string): Message {
  const head = mail(user, 'Every byte', [], 'S', { 'Content-Type': 'text/plain; charset=x-unknown' })
  const bytes = Array.from({ length: 256 }, (_, value) => value).filter(
    (value) => ![0, 10, 13].includes(value),
  )
  return { ...head, content: Buffer.concat([head.content, Buffer.from(bytes), Buffer.from('\r\n')]) }
}

function attachment(user: string, subject: string, size: number): Message {
  const boundary = '=_imapfleet'
  const base64 = noise(`${user} ${subject}`, size).toString('base64')
  return mail(
    user,
    subject,
    [
      `--${boundary}`,
      'Content-Type: text/plain; charset=us-ascii',
      '',
      'See the attachment.',
      `--${boundary}`,
      'Content-Type: application/octet-stream; name="noise.bin"',
      'Content-Transfer-Encoding: base64',
      'Content-Disposition: attachment; filename="noise.bin"',
      '',
      ...(base64.match(/.{1,76}/g) ?? []),
      `--${boundary}--`,
    ],
    '',
    { 'Content-Type': `multipart/mixed; boundary="${boundary}"` },
  )
}

/** Bytes that look random and are always the same. */
function noise(seed: string, size: number): Buffer {
  const block = (index: number) => createHash('sha512').update(`${seed} ${index}`).digest()
  return Buffer.concat(Array.from({ length: Math.ceil(size / 64) }, (_, index) => block(index))).subarray(
    0,
    size,
  )
}
