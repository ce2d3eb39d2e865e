/**
 * A demo mail server: real Dovecot on loopback, with its configuration, users and mail in one directory. It uses
 * nothing in /etc, and does not need root.
 */
import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { chownSync, existsSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs'
import { z } from 'zod'
import { ownAccount, type SystemAccount } from './account.ts'
import { findProgram, installPackage } from './debian.ts'
import { dovecotConfig, passwdLine } from './dovecot-config.ts'
import { ownDirectory, type Ground } from './ground.ts'
import { LocalError } from './local-error.ts'
import { messagesFor, writeMaildir, type MailboxKind } from './mailbox.ts'
import { freePort } from './ports.ts'
import { probe } from './probe.ts'
import { LocalProcess } from './process.ts'
import { writePrivate } from './secret-file.ts'
import { temporaryDirectory } from './temporary-directory.ts'

export interface MailUser {
  user: string
  password: string
}

export interface DovecotOptions {
  /** Gets a few words about anything that takes long. */
  note?: (text: string) => void
  ground: Ground
  preferredPort?: number | undefined
  /** Users in addition to the three demo users, whose passwords stay the same between starts. */
  users?: (MailUser & { mailbox?: MailboxKind })[]
  /** Additional lines of dovecot.conf, which override ours. */
  settings?: string
}

export interface Dovecot {
  host: string
  port: number
  version: string
  /** The demo users. */
  users: MailUser[]
  /** Replaces the password of a user at the next login. Its sessions continue. */
  setPassword: (user: MailUser) => void
  process: LocalProcess
}

const demoUsers = ['alice', 'bob', 'carol']

/** The program. It is installed first if it is missing and we are root. */
export async function findDovecot(
  note?: (text: string) => void,
): Promise<{ program: string; version: string }> {
  const program =
    findProgram('dovecot') ??
    ((await installPackage('dovecot-imapd', 'dovecot', note)) ? findProgram('dovecot') : undefined)
  if (!program)
    throw new LocalError(
      'program_missing',
      'the demo mail server needs Dovecot, which only root can install: ' +
        'sudo apt-get update && sudo apt-get install dovecot-imapd; ' +
        'or use an IMAP server of your own: npm run quickstart -- --upstream HOST:PORT',
    )
  const version = spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout?.split(' ')[0] ?? ''
  if (version.startsWith('2.3.')) return { program, version }
  throw new LocalError(
    'program_missing',
    `the demo mail server needs Dovecot 2.3 (Debian 12) and this is ${version || 'none'}: ` +
      'use an IMAP server of your own: npm run quickstart -- --upstream HOST:PORT',
  )
}

export async function dovecotServer(options: DovecotOptions): Promise<Dovecot> {
  const { program, version } = await findDovecot(options.note)
  const { ground } = options
  const { account } = ground
  const home = ownDirectory(ground, 'dovecot')
  const mail = ownDirectory(ground, 'dovecot', 'mail')
  const users = keepPasswords(`${home}/accounts.json`, account)
  const everybody: NonNullable<DovecotOptions['users']> = [...users, ...(options.users ?? [])]
  for (const { user, mailbox = 'demo' } of everybody) {
    const maildir = `${ownDirectory(ground, 'dovecot', 'mail', user)}/Maildir`
    writeMaildir(maildir, () => messagesFor(user, mailbox), account)
  }
  writePrivate(
    `${home}/users`,
    everybody.map((each) => passwdLine(each.user, each.password)).join(''),
    account,
  )

  const port = await freePort(options.preferredPort)
  const places = {
    port,
    base: socketDirectory(ground),
    state: ownDirectory(ground, 'dovecot', 'state'),
    mail,
    users: `${home}/users`,
    ...(account ?? ownAccount()),
  }
  writePrivate(`${home}/dovecot.conf`, dovecotConfig(places, options.settings ?? ''), account)
  const child = new LocalProcess({
    name: 'dovecot',
    command: program,
    // -F keeps it in the foreground.
    args: ['-F', '-c', `${home}/dovecot.conf`],
    ground,
    // The greeting lists capabilities only after the login and auth processes are up.
    isReady: () =>
      probe({ host: '127.0.0.1', port, judge: (said) => said.includes('* OK [CAPABILITY ') || undefined }),
  })
  return {
    host: '127.0.0.1',
    port,
    version,
    users,
    setPassword: ({ user, password }) => setPassword(places.users, passwdLine(user, password), account),
    process: child,
  }
}

/** Dovecot reads the file again if its time or size has changed, and looks at both once a second. */
function setPassword(file: string, line: string, account: SystemAccount | undefined): void {
  const { mtimeMs } = statSync(file)
  const name = line.slice(0, line.indexOf(':') + 1)
  const lines = readFileSync(file, 'utf8').split('\n')
  writePrivate(file, lines.map((each) => (each.startsWith(name) ? line.trimEnd() : each)).join('\n'), account)
  const later = new Date(Math.max(mtimeMs, Date.now()) + 1000)
  utimesSync(file, later, later)
}

/** Longest name in the directory: `/token-login/imap-urlauth`. */
function socketDirectory(ground: Ground): string {
  // Emptied, because Dovecot would wait for the sockets of an earlier run.
  rmSync(`${ground.directory}/dovecot/run`, { recursive: true, force: true })
  const directory = ownDirectory(ground, 'dovecot', 'run')
  if (Buffer.byteLength(directory) <= 80) return directory
  const short = temporaryDirectory('dovecot')
  if (ground.account) chownSync(short, ground.account.uid, ground.account.gid)
  return short
}

const accountsSchema = z.array(z.object({ user: z.string(), password: z.string() }))

function keepPasswords(file: string, owner?: SystemAccount): MailUser[] {
  if (existsSync(file)) return accountsSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  const users = demoUsers.map((user) => ({ user, password: demoPassword() }))
  writePrivate(file, JSON.stringify(users), owner)
  return users
}

/** Easy to type, without letters that look alike. */
function demoPassword(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789'
  return Array.from({ length: 10 }, () => letters[randomInt(letters.length)]).join('')
}
