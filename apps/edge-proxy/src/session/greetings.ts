/** The greeting, and the answer to a login. Each is sent by one write, so in one segment. */
import { printAfterLogin } from '../imap/capability.ts'
import type { Leased } from '../pool/lease.ts'

export function greeting(capabilities: string): string {
  return `* OK [CAPABILITY ${capabilities}] imapfleet ready\r\n`
}

/** Exactly the text of imapproxy, because clients may compare it. */
const reuseText = 'IMAP connection reused by squirrelmail-imap_proxy'

export function loginAnswer(tag: string, { connection, tellReuse, untagged }: Leased): string {
  const { capabilities, loginText } = connection
  const reuse = tellReuse ? `* OK [XPROXYREUSE] ${reuseText}\r\n` : ''
  const lines = untagged.map((line) => `${line}\r\n`).join('')
  const list = capabilities.length > 0 ? `[CAPABILITY ${printAfterLogin(capabilities)}] ` : ''
  return `${reuse}${lines}${tag} OK ${list}${loginText || 'Logged in'}\r\n`
}
