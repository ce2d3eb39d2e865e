/** Capability lists: read from a server, cut down to what the edge can keep, printed for a client. */

/** Extensions that act on the hop or the identity, which belong to the edge alone. */
const hopByHop = new Set(['STARTTLS', 'LOGINDISABLED', 'SASL-IR'])
const never = /^(COMPRESS=.*|UNAUTHENTICATE|LOGIN-REFERRALS|MAILBOX-REFERRALS)$/

/** `CAPABILITY IMAP4rev1 IDLE` or `IMAP4rev1 IDLE` → names in upper case, in order, once each. */
export function parseCapabilities(text: string): string[] {
  const names = text
    .trim()
    .split(/\s+/)
    .map((name) => name.toUpperCase())
  return [...new Set(names)].filter((name) => name !== 'CAPABILITY' && /^[!-~]+$/.test(name))
}

/** What a logged-in client may see of a server's list. */
export function afterLogin(server: readonly string[]): string[] {
  return server.filter((name) => !never.test(name) && !hopByHop.has(name) && !name.startsWith('AUTH='))
}

/** Whether the server has UNSELECT, which deselects without expunging (RFC 3691, RFC 9051 6.4.2). */
export const hasUnselect = (server: readonly string[]): boolean =>
  server.includes('UNSELECT') || server.includes('IMAP4REV2')

const printed = new WeakMap<readonly string[], string>()

/** The same as it goes over the wire; printed once for each list. */
export function printAfterLogin(server: readonly string[]): string {
  let text = printed.get(server)
  if (text === undefined) printed.set(server, (text = printCapabilities(afterLogin(server))))
  return text
}

/** What every one of these servers can do, in the order of the first; one that has not said yet does not count. */
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

/** What the edge itself does before login, on top of what the server can do after it. */
export function beforeLogin(server: readonly string[], own: BeforeLogin): string[] {
  const base = server.length > 0 ? afterLogin(server) : ['IMAP4REV1']
  return [
    ...base,
    ...(own.offerStartTls ? ['STARTTLS'] : []),
    ...(own.loginDisabled ? ['LOGINDISABLED'] : ['SASL-IR', ...own.mechanisms.map((name) => `AUTH=${name}`)]),
    ...(own.adminCommands ? ['XIMAPPROXY'] : []),
  ]
}

/** As it goes over the wire: the revision in its customary spelling. */
export function printCapabilities(names: readonly string[]): string {
  return names.map((name) => name.replace(/^IMAP4REV/, 'IMAP4rev')).join(' ')
}

/**
 * A server's line with a capability list in it (`* CAPABILITY …`, `* OK [CAPABILITY …] …`, `a1 OK [CAPABILITY …] …`)
 * with the list cut down; any other line as it is.
 */
export function filterCapabilityLine(line: string): string {
  return line.replace(
    /^(\* CAPABILITY|\S+ (?:OK|NO|BAD|BYE|PREAUTH) \[CAPABILITY) ([^\]\r\n]*)/i,
    (_, lead: string, list: string) => {
      return `${lead} ${printCapabilities(afterLogin(parseCapabilities(list)))}`
    },
  )
}
