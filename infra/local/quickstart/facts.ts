/** What a running quickstart says of itself: `.run/quickstart.json` for programs, a page of text for people. */
import { rmSync } from 'node:fs'
import { findProgram } from '../debian.ts'
import { runDirectory } from '../paths.ts'
import { writePrivate } from '../secret-file.ts'
import type { Stack } from '../stack.ts'

const file = `${runDirectory}/quickstart.json`

/** Only when everything is ready; gone when anything may have stopped. It holds a token, so only its owner reads it. */
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
    ...stack.edges.map((edge, index) => [
      index === 0 ? 'IMAP' : '',
      `127.0.0.1:${edge.imapPort}`,
      `edge ${edge.id}`,
    ]),
    ['Mail server', hostPort(stack.upstream), users.length > 0 ? 'demo Dovecot' : ''],
    ...users.map(({ user, password }, index) => [index === 0 ? 'Users' : '', user, password]),
    ['API', stack.control.api, `${stack.control.api}/docs`],
    ['Console', `${stack.control.api}/`, ''],
    ['Admin token', stack.token, ''],
  ]
  const [edge] = stack.edges
  const [{ user, password }] =
    users.length > 0 ? (users as [(typeof users)[0]]) : [{ user: 'USER', password: 'PASSWORD' }]
  const mail = `curl -u ${user}:${password} 'imap://127.0.0.1:${edge?.imapPort}/INBOX;MAILINDEX=1'`
  const commands = [
    ['./imapfleet edges', 'both edges as the control plane sees them'],
    [
      findProgram('curl') ? mail : './imapfleet stats',
      findProgram('curl')
        ? 'a mail; the second time without a login at the server'
        : 'what the fleet has done',
    ],
    [`./imapfleet trace ${user}`, 'what that user says, live from both edges'],
  ]
  return [
    '',
    `imapfleet is ready after ${seconds.toFixed(1)} s. Ctrl-C stops it; data and logs are kept in .run/`,
    '',
    ...rows.map(([name = '', value = '', remark = '']) =>
      `  ${name.padEnd(12)} ${value.padEnd(24)} ${remark}`.trimEnd(),
    ),
    '',
    'Worth trying, in another terminal:',
    ...commands.map(([command, why]) => `  ${command}\n      ${why}`),
    '',
  ].join('\n')
}

const hostPort = ({ host, port }: { host: string; port: number }) =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
