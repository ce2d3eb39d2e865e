/** A running quickstart describes itself: in `.run/quickstart.json` for programs, and as text for people. */
import { rmSync } from 'node:fs'
import { findProgram } from '../debian.ts'
import { runDirectory } from '../paths.ts'
import { writePrivate } from '../secret-file.ts'
import type { Stack } from '../stack.ts'

const file = `${runDirectory}/quickstart.json`

/**
 * Written when everything is ready, and removed before anything stops. It contains a token, so only its owner can
 * read it.
 */
export function writeFacts(stack: Stack): void {
  const facts = {
    edges: stack.edges.map(({ id, region, imapPort, httpPort }) => ({ id, region, imapPort, httpPort })),
    api: stack.control.api,
    token: stack.token,
    upstream: hostPort(stack.upstream),
    users: stack.dovecot?.users ?? [],
  }
  writePrivate(file, `${JSON.stringify(facts, null, 2)}\n`)
}

export function removeFacts(): void {
  rmSync(file, { force: true })
}

export function describeFacts(stack: Stack, seconds: number): string {
  const users = stack.dovecot?.users ?? []
  const rows = [
    ...titled(
      'IMAP',
      stack.edges.map(({ id, imapPort }) => [`127.0.0.1:${imapPort}`, `edge ${id}`]),
    ),
    ['Mail server', hostPort(stack.upstream), stack.dovecot ? 'demo Dovecot' : ''],
    ...titled(
      'Users',
      users.map(({ user, password }) => [user, password]),
    ),
    ['API', stack.control.api, `${stack.control.api}/docs`],
    ['Console', `${stack.control.api}/`],
    ['Admin token', stack.token],
  ]
  return [
    '',
    `imapfleet is ready after ${seconds.toFixed(1)} s. Ctrl-C stops it; data and logs are kept in .run/`,
    '',
    ...rows.map(([name = '', value = '', remark = '']) =>
      `  ${name.padEnd(12)} ${value.padEnd(24)} ${remark}`.trimEnd(),
    ),
    '',
    'Try in another terminal:',
    ...worthTrying(stack).map(([command, why]) => `  ${command}\n      ${why}`),
    '',
  ].join('\n')
}

/** The title of a group is in front of its first row. */
const titled = (title: string, rows: string[][]) =>
  rows.map((row, index) => [index === 0 ? title : '', ...row])

function worthTrying(stack: Stack): [command: string, why: string][] {
  const { user, password } = stack.dovecot?.users[0] ?? { user: 'USER', password: 'PASSWORD' }
  const mailbox = `imap://127.0.0.1:${stack.edges[0]?.imapPort}/INBOX`
  return [
    ['./imapfleet edges', 'the state of both edges'],
    findProgram('curl')
      ? [
          `curl -u ${user}:${password} '${mailbox};MAILINDEX=1'`,
          'read a mail; the second time without a login at the mail server',
        ]
      : ['./imapfleet stats', 'logins and reuse over time'],
    [`./imapfleet trace ${user}`, 'the IMAP protocol of this user, live from both edges'],
  ]
}

const hostPort = ({ host, port }: { host: string; port: number }) =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
