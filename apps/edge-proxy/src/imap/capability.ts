/** Capability lists: parsed from a server, reduced to what the edge supports, printed for a client. */

/** Capabilities of one connection or of the login. The edge handles them separately on each side. */
const hopByHop = new Set(['STARTTLS', 'LOGINDISABLED', 'SASL-IR'])
/** Never offered to clients: they would hide the protocol from the edge, or change the user or the server. */
const never = /^(COMPRESS=.*|UNAUTHENTICATE|LOGIN-REFERRALS|MAILBOX-REFERRALS)$/

/** `CAPABILITY IMAP4rev1 IDLE` or `IMAP4rev1 IDLE` → the names in upper case, in order, each once. */
export function parseCapabilities(text: string): string[] {
  const names = text
    .trim()
    .split(/\s+/)
    .map((name) => name.toUpperCase())
  return [...new Set(names)].filter((name) => name !== 'CAPABILITY' && /^[!-~]+$/.test(name))
}

/** The part of a server's list that a logged-in client may see. */
export function afterLogin(server: readonly string[]): string[] {
  return server.filter((name) => !never.test(name) && !hopByHop.has(name) && !name.startsWith('AUTH='))
}

/** Whether the server has UNSELECT, which deselects without expunging (RFC 3691, RFC 9051 6.4.2). */
export const hasUnselect = (server: readonly string[]): boolean =>
  server.includes('UNSELECT') || server.includes('IMAP4REV2')

const printed = new WeakMap<readonly string[], string>()

/** `afterLogin`, printed. The text is cached for each list. */
export function printAfterLogin(server: readonly string[]): string {
  let text = printed.get(server)
  if (text === undefined) printed.set(server, (text = printCapabilities(afterLogin(server))))
  return text
}

/** Capabilities common to all lists, in the order of the first. Empty lists are skipped. */
export function commonCapabilities(lists: readonly (readonly string[])[]): readonly string[] {
  const [first, ...others] = lists.filter((list) => list.length > 0)
  return first?.filter((name) => others.every((list) => list.includes(name))) ?? []
}

export interface BeforeLogin {
  mechanisms: readonly string[]
  offerStartTls: boolean
  loginDisabled: boolean
  adminCommands: boolean
}

/** The list before login: what the server offers after login, and what the edge offers before it. */
export function beforeLogin(server: readonly string[], own: BeforeLogin): string[] {
  const base = server.length > 0 ? afterLogin(server) : ['IMAP4REV1']
  return [
    ...base,
    ...(own.offerStartTls ? ['STARTTLS'] : []),
    ...(own.loginDisabled ? ['LOGINDISABLED'] : ['SASL-IR', ...own.mechanisms.map((name) => `AUTH=${name}`)]),
    ...(own.adminCommands ? ['XIMAPPROXY'] : []),
  ]
}

/** The list as it is sent, with the usual spelling of `IMAP4rev1`. */
export function printCapabilities(names: readonly string[]): string {
  return names.map((name) => name.replace(/^IMAP4REV/, 'IMAP4rev')).join(' ')
}

/**
 * Reduces the capability list in a line to `afterLogin`. Lines with a list are `* CAPABILITY …`, `* OK [CAPABILITY …] …`
 * and `a1 OK [CAPABILITY …] …`; others are unchanged.
 */
export function filterCapabilityLine(line: string): string {
  return line.replace(
    /^(\* CAPABILITY|\S+ (?:OK|NO|BAD|BYE|PREAUTH) \[CAPABILITY) ([^\]\r\n]*)/i,
    (_, lead: string, list: string) => {
      return `${lead} ${printCapabilities(afterLogin(parseCapabilities(list)))}`
    },
  )
}
