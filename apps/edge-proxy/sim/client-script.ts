/** The scripts of simulated clients: pages of several webmails, pipelining programs, and programs with damaged commands. */
import type { Chance } from './chance.ts'
import type { MailClient } from './mail-client.ts'
import { appended, markOf } from './mail-store.ts'
import type { Scheduler } from './scheduler.ts'

/** Client programs, named by the first letter of their tags. */
export const families = ['A', 'B', 'C', 'D'] as const
/** `C` uses HIGHESTMODSEQ and SELECT (CONDSTORE), `B` uses ENABLE. */
export const condstoreFamilies: ReadonlySet<string> = new Set(['C'])
export const wildFamily = 'W'

export interface ScriptOptions {
  client: MailClient
  chance: Chance
  scheduler: Scheduler
  /** Maximum number of pages. */
  stepsMax: number
  /** Time limit for the login. */
  loginTimeoutMs: number
}

/** From the greeting to the end of a session. Never rejects. */
export type Script = (options: ScriptOptions) => Promise<void>

/** One visit of a user who reads a mailbox for some time. */
export async function runVisit(options: ScriptOptions): Promise<void> {
  const { client, chance } = options
  if ((await client.greeting()) === undefined || client.isOver) return
  if (!(await logIn(options))) return client.leave('close')
  await client.command('SELECT INBOX')
  if (!client.isOver && client.session.belief.kind === 'selected') await client.idle(chance.between(10, 8000))
  if (!client.isOver) await client.command('LOGOUT')
  if (!client.isOver) client.leave('close')
}

/** From the greeting to the end of the session. Never rejects. */
export async function runScript(options: ScriptOptions): Promise<void> {
  const { client, chance, scheduler } = options
  if ((await client.greeting()) === undefined || client.isOver) return
  if (chance.happens(0.03)) return waitForEnd(options)
  if (!(await logIn(options))) return client.leave('close')
  if (chance.happens(0.6)) await usualPage(options)
  const steps = Math.min(options.stepsMax, chance.between(0, 6))
  for (let step = 0; step < steps && !client.isOver; step++) {
    await page(options)
    if (chance.happens(0.3)) await scheduler.sleep(chance.between(1, 3000))
  }
  await end(options)
}

/** A client that never logs in. */
async function waitForEnd({ client, chance, scheduler, loginTimeoutMs }: ScriptOptions): Promise<void> {
  if (chance.happens(0.3)) void client.command('CAPABILITY')
  await scheduler.sleep(loginTimeoutMs + 4000)
  await client.mustBeOver('is still connected, without a login')
}

async function logIn({ client, chance }: ScriptOptions): Promise<boolean> {
  const { user, secret, family } = client.session
  /** Sends the commands before and after the login together with it. */
  const isHasty = chance.happens(0.15)
  const before = [
    ...(chance.happens(0.3) ? ['CAPABILITY'] : []),
    ...(family === 'C' ? ['ID NIL'] : []),
    ...(family === 'B' ? ['ID ("name" "horde" "x-mark" "1")'] : []),
  ]
  for (const command of before) {
    const reply = client.command(command)
    if (!isHasty) await reply
  }
  if (client.isOver) return false
  const plain = Buffer.from(`\0${user}\0${secret}`).toString('base64')
  const reply =
    family === 'B'
      ? client.login(`AUTHENTICATE PLAIN ${plain}`)
      : family === 'D'
        ? client.login(`LOGIN "${user}" {${secret.length}+}\r\n${secret}`)
        : client.login(`LOGIN ${user} ${secret}`)
  const behind = isHasty ? client.command(chance.pick(['NOOP', 'LIST "" "*"', 'CAPABILITY'])) : undefined
  const isLoggedIn = (await reply)?.status === 'OK'
  if (isLoggedIn) await behind
  return isLoggedIn
}

type Step = (options: ScriptOptions) => Promise<unknown>

async function page(options: ScriptOptions): Promise<void> {
  const { client, chance } = options
  const { family, belief } = client.session
  if (family === 'B' && client.session.enabled.size === 0 && belief.kind === 'none' && chance.happens(0.4))
    await client.command(chance.pick(['ENABLE QRESYNC', 'ENABLE CONDSTORE', 'ENABLE CONDSTORE QRESYNC']))
  if (family === 'C' && chance.happens(0.8)) await client.command('STATUS INBOX (MESSAGES HIGHESTMODSEQ)')
  if (client.session.belief.kind !== 'selected' || chance.happens(0.2)) await select(options)
  if (client.isOver) return
  const isSelected = client.session.belief.kind === 'selected'
  await chance.pick(isSelected ? selectedSteps : anySteps)(options)
}

async function select({ client, chance }: ScriptOptions): Promise<void> {
  const { user, family } = client.session
  const mailbox = chance.happens(0.6)
    ? 'INBOX'
    : chance.pick([`Work${markOf(user)}`, `Sent${markOf(user)}`, `None${markOf(user)}`])
  const verb = chance.happens(0.85) ? 'SELECT' : 'EXAMINE'
  const parameter = family === 'C' && chance.happens(0.5) ? ' (CONDSTORE)' : ''
  await client.command(`${verb} ${mailbox}${parameter}`)
}

const anySteps: readonly Step[] = [
  ({ client }) => client.command('NOOP'),
  ({ client }) => client.command('LIST "" "*"'),
  ({ client }) => client.command('CAPABILITY'),
  ({ client }) => client.command('NAMESPACE'),
  ({ client }) => client.command('STATUS INBOX (MESSAGES UIDNEXT)'),
  append,
  appendAhead,
  ({ client }) => client.command('ID ("name" "sim")'),
  refusedHere,
  ({ client }) => client.command('BOGUS "word"'),
]

const selectedSteps: readonly Step[] = [
  ...anySteps,
  readPage,
  readPage,
  readPage,
  wave,
  wave,
  ({ client }) => client.command('UID FETCH 1:* (FLAGS BODY.PEEK[])'),
  ({ client, chance }) => client.command(`UID STORE ${someUid(client, chance)} +FLAGS.SILENT (\\Seen)`),
  ({ client, chance }) =>
    client.command(
      `UID STORE ${someUid(client, chance)} +FLAGS (${chance.pick(['\\Deleted', '\\Flagged'])})`,
    ),
  ({ client, chance }) =>
    client.exists > 0
      ? client.command(`STORE ${chance.between(1, client.exists)} -FLAGS (\\Flagged)`)
      : client.command('NOOP'),
  ({ client }) => client.command('EXPUNGE'),
  ({ client, chance, stepsMax }) => client.idle(chance.between(1, stepsMax > 1 ? 20_000 : 200)),
  ({ client, chance }) =>
    chance.happens(0.3) ? client.command('NOTIFY SET (SELECTED (MessageNew))') : client.command('NOOP'),
  turnAway,
  ({ client, chance, stepsMax }) =>
    stepsMax > 1 ? client.idle(chance.between(1, 3000)) : client.command('NOOP'),
  ({ client }) => client.command('CLOSE'),
  ({ client }) => client.command('UNSELECT'),
  ({ client }) => client.command('UID SEARCH RETURN (ALL) UNSEEN'),
  savedSearch,
  ({ client }) =>
    client.session.family === 'C'
      ? client.command('UID FETCH 1:* (FLAGS) (CHANGEDSINCE 2)')
      : client.command('NOOP'),
]

/** A command that the edge refuses. Its literal must not be parsed as a command. */
async function refusedHere({ client, chance }: ScriptOptions): Promise<void> {
  const { session } = client
  if (chance.happens(0.3)) {
    const trap = `${session.nextTag()} NOOP\r\n`
    void client.command(`COMPRESS {${trap.length}+}\r\n${trap}`)
    // The edge ends such a session.
    await client.command('NOOP')
    return
  }
  await client.command(
    chance.pick(['COMPRESS DEFLATE', 'UNAUTHENTICATE', 'LOGIN other secret', 'AUTHENTICATE PLAIN']),
  )
}

/** Saves the result of a search in the server, and asks for the messages in it (RFC 5182). */
async function savedSearch({ client, chance }: ScriptOptions): Promise<void> {
  await client.command(`UID SEARCH RETURN (${chance.pick(['SAVE', 'SAVE ALL'])}) UNSEEN`)
  if (!client.isOver && chance.happens(0.5)) await client.command('NOOP')
  if (!client.isOver) await client.command('UID FETCH $ (UID FLAGS)')
}

/** Selects another mailbox immediately after the first one. */
async function turnAway(options: ScriptOptions): Promise<void> {
  const { client, chance } = options
  const left = client.command(chance.pick(['UNSELECT', 'CLOSE']))
  await Promise.all([left, chance.happens(0.5) ? select(options) : client.command('NOOP')])
}

const someUid = (client: MailClient, chance: Chance): number =>
  client.uids.length > 0 ? chance.pick(client.uids) : 1

/** Shows a list and then a message, like Roundcube. */
async function readPage({ client, chance }: ScriptOptions): Promise<void> {
  const search = await client.command('UID SEARCH ALL')
  const found = /^\* SEARCH ?(.*)$/.exec(
    search?.untagged.find((line) => line.startsWith('* SEARCH')) ?? '',
  )?.[1]
  if (!search || !found) return
  const uids = found.split(' ')
  await client.command(`UID FETCH ${uids.join(',')} (UID FLAGS RFC822.SIZE)`)
  await client.command(`UID FETCH ${chance.pick(uids)} (BODY${chance.happens(0.5) ? '.PEEK' : ''}[])`)
}

/** The first page of most sessions. It usually has the same questions, so that they can be asked ahead. */
async function usualPage(options: ScriptOptions): Promise<void> {
  const { client, chance } = options
  const folder = chance.happens(0.7) ? 'INBOX' : `Work${markOf(client.session.user)}`
  await client.command(`STATUS ${folder} (MESSAGES UIDNEXT)`)
  await client.command(`SELECT ${folder}`)
  // Requests the last message like Roundcube.
  if (client.exists > 0) await client.command(`UID SEARCH ${client.exists}`)
  if (!client.isOver && chance.happens(0.4)) return usualRefresh(options, folder)
  await usualList(options)
  if (client.isOver || client.uids.length === 0 || chance.happens(0.3)) return
  const uid = someUid(client, chance)
  if (chance.happens(0.6)) await usualMessage(options, uid)
  if (client.isOver || chance.happens(0.5)) return
  await client.command(
    chance.pick([
      `UID STORE ${uid} +FLAGS (\\Seen)`,
      `UID STORE ${uid} +FLAGS (\\Deleted)`,
      'EXPUNGE',
      `FETCH ${chance.between(1, Math.max(1, client.exists))} (UID FLAGS)`,
      'NOOP',
      'UNSELECT',
    ]),
  )
  if (client.session.belief.kind === 'selected') await usualList(options)
}

/** Looks for new mail in INBOX and selects the old mailbox again, like Roundcube. Sometimes does something else in between. */
async function usualRefresh(options: ScriptOptions, folder: string): Promise<void> {
  const { client, chance } = options
  const steps = [
    ...(client.session.family === 'A' && client.uids.length > 0
      ? [() => client.command(`UID STORE ${someUid(client, chance)} +FLAGS.SILENT (\\Seen)`)]
      : []),
    ...(client.session.family === 'D' ? [() => client.command('UID SEARCH RETURN (SAVE) UNSEEN')] : []),
    () => client.command('STATUS INBOX (MESSAGES UIDNEXT)'),
    () => client.command('SELECT INBOX'),
    async () => client.exists > 0 && client.command(`UID SEARCH ${client.exists}`),
    () => client.command(`SELECT ${folder}`),
    async () => client.exists > 0 && client.command(`UID SEARCH ${client.exists}`),
    () => client.command('NAMESPACE'),
  ]
  for (const step of steps) {
    if (client.isOver) return
    if (chance.happens(0.1)) return somethingElse(options)
    await step()
    if (chance.happens(0.1)) await options.scheduler.sleep(chance.between(1, 3000))
  }
}

async function somethingElse(options: ScriptOptions): Promise<void> {
  const { client, chance } = options
  const uid = client.uids.length > 0 ? someUid(client, chance) : 1
  const number = chance.between(1, Math.max(1, client.exists))
  await client.command(
    chance.pick([
      'NOOP',
      'NOOP',
      `UID FETCH ${uid} (UID FLAGS)`,
      'UID FETCH 1:* (UID FLAGS)',
      'UID FETCH $ (UID RFC822.SIZE)',
      `FETCH ${number} (UID FLAGS)`,
      `UID STORE ${uid} +FLAGS (\\Deleted)`,
      `STORE ${number} +FLAGS (\\Flagged)`,
      'UID SEARCH ALL',
      'EXPUNGE',
      'CLOSE',
      'UNSELECT',
      `SELECT Sent${markOf(client.session.user)}`,
      'STATUS INBOX (MESSAGES)',
      'CAPABILITY',
      'ID NIL',
      'LOGOUT',
    ]),
  )
  if (!client.isOver && client.session.belief.kind === 'selected') await usualList(options)
}

/** The requested parts depend on the message. */
async function usualMessage({ client, chance }: ScriptOptions, uid: number): Promise<void> {
  await client.command(`UID FETCH ${uid} (UID RFC822.SIZE BODYSTRUCTURE)`)
  const parts = chance.pick([['1'], ['2'], ['2.MIME', '1.2'], ['1.MIME', '3']])
  for (const part of parts) if (!client.isOver) await client.command(`UID FETCH ${uid} (BODY.PEEK[${part}])`)
}

async function usualList({ client, chance }: ScriptOptions): Promise<void> {
  await client.command('UID SEARCH ALL')
  const { found } = client
  if (client.isOver || found.length === 0) return
  // A page of the newest messages.
  const newest = found.slice(-4)
  const isRange = newest.length > 1 && newest.length === newest.at(-1)! - newest[0]! + 1
  const set = isRange ? `${newest[0]!}:${newest.at(-1)!}` : newest.join(',')
  await client.command(`UID FETCH ${set} (UID FLAGS RFC822.SIZE)`)
  if (client.exists > 0 && chance.happens(0.3))
    await client.command(`STORE ${chance.between(1, client.exists)} +FLAGS (\\Flagged)`)
  await client.command('STATUS INBOX (MESSAGES UIDNEXT)')
  if (client.session.family === 'C') await client.command('STATUS INBOX (MESSAGES HIGHESTMODSEQ)')
}

/** Sends several commands together. None depends on sequence numbers that another may change. */
async function wave({ client, chance }: ScriptOptions): Promise<void> {
  const choices = [
    'UID FETCH 1:* (FLAGS)',
    `UID FETCH ${someUid(client, chance)} (BODY.PEEK[])`,
    'LIST "" "*"',
    'STATUS INBOX (MESSAGES)',
    'UID SEARCH RETURN (ALL) ALL',
    'NOOP',
    'CAPABILITY',
    'ID NIL',
  ]
  const count = chance.between(2, 4)
  await Promise.all(Array.from({ length: count }, () => client.command(chance.pick(choices))))
}

function append({ client, chance }: ScriptOptions): Promise<unknown> {
  const { user } = client.session
  return client.withLiteral(
    `APPEND Sent${markOf(user)}`,
    appended(user, 'APPEND', chance.pick([0, 10, 500, 20_000])),
  )
}

function appendAhead({ client, chance }: ScriptOptions): Promise<unknown> {
  const { user } = client.session
  const content = appended(user, 'APPEND', chance.pick([0, 10, 3000]))
  return client.command(`APPEND Sent${markOf(user)} (\\Seen) {${content.length}+}\r\n${content}`)
}

async function end({ client, chance, scheduler }: ScriptOptions): Promise<void> {
  if (client.isOver) return
  const how = chance.next()
  if (how < 0.55) {
    const reply = client.command('LOGOUT')
    if (chance.happens(0.2)) client.leave('finish')
    await reply
    // Usually the edge closes first, but the client may also close earlier.
    await scheduler.sleep(chance.pick([0, 50, 1000]))
    if (!client.isOver) client.leave('close')
    return
  }
  if (how < 0.75) {
    // Disconnects within a command.
    const { user } = client.session
    const content = appended(user, 'APPEND', 300)
    const text = chance.pick([
      'NOOP',
      'UID FETCH 1:* (BODY.PEEK[])',
      `APPEND Sent${markOf(user)} {${content.length}+}\r\n${content}`,
      'IDLE',
      'SELECT INBOX',
      'CLOSE',
      ...(client.session.family === 'B' ? ['ENABLE QRESYNC'] : []),
      ...(client.session.family === 'C' ? ['SELECT INBOX (CONDSTORE)', 'STATUS INBOX (HIGHESTMODSEQ)'] : []),
      `APPEND Sent${markOf(user)} {${content.length}}`,
      `STATUS {5+}\r\nINBOX (MESSAGES)`,
    ])
    client.sayPart(text, chance)
    await scheduler.sleep(chance.pick([0, 1, 30, 500]))
  }
  client.leave(chance.pick(['close', 'close', 'reset', 'finish'] as const))
  await scheduler.sleep(5000)
  if (!client.isOver) client.leave('close')
}

/** Sends damaged commands in pieces. Only effects on other clients are checked. */
export async function runWild({ client, chance, scheduler, stepsMax }: ScriptOptions): Promise<void> {
  const { user, secret } = client.session
  const content = appended(user, 'APPEND', 60)
  const lines = [
    'NOOP',
    'SELECT INBOX',
    'UID FETCH 1:* (FLAGS)',
    `APPEND Sent${markOf(user)} {${content.length}+}\r\n${content}`,
    `APPEND Sent${markOf(user)} {${content.length}}\r\n${content}`,
    'IDLE\r\nDONE',
    'ENABLE CONDSTORE',
    'UID SEARCH RETURN (UPDATE) ALL',
    `SELECT {${6 + user.length}+}\r\nWork${markOf(user)}`,
    'LOGIN other secret',
    'AUTHENTICATE PLAIN',
    '"NOOP"',
    '{4+}\r\nNOOP',
    'NOTIFY SET (SELECTED (MessageNew))',
    'LANGUAGE DE',
    'STATUS "INBOX" (MESSAGES)',
    'UNAUTHENTICATE',
    'CLOSE',
    'LOGOUT',
  ]
  const count = Math.min(stepsMax * 3, chance.between(2, 14))
  // Sent once only: behind damage, a repeated one can be part of a literal, which a trace with bodies shows.
  const chosen = chance.happens(0.85) ? [`LOGIN ${user} ${secret}`] : []
  for (let index = 0; index < count; index++) chosen.push(chance.pick(lines))
  let text = chosen.map((line) => `${client.session.nextTag()} ${line}\r\n`).join('')
  for (let damage = chance.below(3); damage > 0; damage--) text = damaged(text, chance)
  for (let at = 0; at < text.length && !client.isOver;) {
    const size = chance.pick([1, 7, 40, 400, 4000])
    client.say(text.slice(at, at + size))
    at += size
    if (chance.happens(0.5)) await scheduler.sleep(chance.pick([0, 1, 5, 200, 2500]))
  }
  await scheduler.sleep(chance.between(0, 4000))
  if (!client.isOver) client.leave(chance.pick(['close', 'reset', 'finish'] as const))
  await scheduler.sleep(3000)
  if (!client.isOver) client.leave('close')
}

function damaged(text: string, chance: Chance): string {
  const at = chance.below(text.length)
  const stumble = chance.pick([
    '\n',
    '\r',
    '"',
    '{3+}\r\n',
    '{7}\r\n',
    '\0',
    '\\',
    '(',
    ' ',
    '\r\n',
    '{99999999999}\r\n',
    'x'.repeat(300),
  ])
  return text.slice(0, at) + stumble + text.slice(at + chance.below(3))
}
