/** What the edge says to a client by itself: greeting, the answer to a login, goodbye. Each is one write. */
import { printAfterLogin } from '../imap/capability.ts'
import type { Ending } from '../splice/ending.ts'

export function greeting(capabilities: string): string {
  return `* OK [CAPABILITY ${capabilities}] imapfleet ready\r\n`
}

/** To the letter what imapproxy says: nobody knows who compares it. */
const reuseText = 'IMAP connection reused by squirrelmail-imap_proxy'

export interface LoginAnswer {
  tag: string
  tellReuse: boolean
  /** What a fresh server said before its OK. */
  untagged: readonly string[]
  capabilities: readonly string[]
  /** The server's own words. */
  text: string
}

export function loginAnswer(answer: LoginAnswer): string {
  const reuse = answer.tellReuse ? `* OK [XPROXYREUSE] ${reuseText}\r\n` : ''
  const untagged = answer.untagged.map((line) => `${line}\r\n`).join('')
  const list = answer.capabilities.length > 0 ? `[CAPABILITY ${printAfterLogin(answer.capabilities)}] ` : ''
  return `${reuse}${untagged}${answer.tag} OK ${list}${answer.text || 'Logged in'}\r\n`
}

/** Undefined: the client has gone and hears nothing. */
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
