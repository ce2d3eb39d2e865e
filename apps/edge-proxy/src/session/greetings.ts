/** What the edge itself sends to a client: greeting, answer to the login, goodbye. Each is one write, one segment. */
import { printAfterLogin } from '../imap/capability.ts'
import type { Leased } from '../pool/lease.ts'
import type { Ending } from '../splice/ending.ts'

export function greeting(capabilities: string): string {
  return `* OK [CAPABILITY ${capabilities}] imapfleet ready\r\n`
}

/** Exactly the words of imapproxy: clients may compare them. */
const reuseText = 'IMAP connection reused by squirrelmail-imap_proxy'

export function loginAnswer(tag: string, { connection, tellReuse, untagged }: Leased): string {
  const { capabilities, loginText } = connection
  const reuse = tellReuse ? `* OK [XPROXYREUSE] ${reuseText}\r\n` : ''
  const lines = untagged.map((line) => `${line}\r\n`).join('')
  const list = capabilities.length > 0 ? `[CAPABILITY ${printAfterLogin(capabilities)}] ` : ''
  return `${reuse}${lines}${tag} OK ${list}${loginText || 'Logged in'}\r\n`
}

/** Undefined: the client has gone. */
export function goodbye(ending: Ending): string | undefined {
  switch (ending.kind) {
    case 'logout':
      return `* BYE Logging out\r\n${ending.tag} OK Completed\r\n`
    case 'upstream-gone':
      return '* BYE [UNAVAILABLE] Connection to the mail server is lost\r\n'
    case 'violation':
      return `* BYE ${violationText[ending.reason]}\r\n`
    case 'idle-timeout':
      return '* BYE Idle for too long\r\n'
    case 'ended-here':
      return `* BYE ${ending.reason === 'shutdown' ? 'Server is stopping, try again' : 'Session ended by the operator'}\r\n`
    case 'client-gone':
      return undefined
  }
}

const violationText = {
  'line-too-long': 'Command line too long',
  'literal-too-long': 'Literal too long',
  'literal-refused': 'Command not available, nor its literal',
} as const
