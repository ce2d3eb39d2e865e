/** Capability lists: parsed from a server, reduced to what the edge supports, printed for a client. */

/** Capabilities of one connection or of the login. The edge handles them separately on each side. */
const hopByHop = new Set(['STARTTLS', 'LOGINDISABLED', 'SASL-IR'])
/** Never offered to clients: they would hide the protocol from the edge, or change the user or the server. */
const never = /^(COMPRESS=.*|UNAUTHENTICATE|LOGIN-REFERRALS|MAILBOX-REFERRALS)$/

/** A line with a list: `* CAPABILITY …`, `* OK [CAPABILITY …] …`, `a1 OK [CAPABILITY …] …`. */
const listLine = /^(\* CAPABILITY|\S+ (?:OK|NO|BAD|BYE|PREAUTH) \[CAPABILITY) ([^\]\r\n]*)/i

/** The list in a line of a server: the names in upper case, in order, each once. Undefined: the line has no list. */
export function capabilitiesIn(line: string): string[] | undefined {
  const match = listLine.exec(line)
  if (!match) return undefined
  const [whole, lead = '', list = ''] = match
  // A code without its bracket is broken, and what stands in it may be no capabilities.
  const isBroken = lead.includes('[') && line[whole.length] !== ']'
  return isBroken ? undefined : parseList(list)
}

/** The last list in these lines. */
export const lastCapabilities = (lines: readonly string[]): string[] | undefined =>
  lines.map(capabilitiesIn).findLast((list) => list !== undefined)

function parseList(list: string): string[] {
  const names = list.toUpperCase().match(/\S+/g)
  return [...new Set(names)].filter((name) => /^[!-~]+$/.test(name))
}

/** The text of a status without its capability list, if it begins with one. */
export const withoutCapabilities = (text: string): string => text.replace(/^\[CAPABILITY [^\]]*\]? ?/i, '')

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

/** Reduces the capability list in a line to `afterLogin`, also in a code without its bracket. Other lines are unchanged. */
export function filterCapabilityLine(line: string): string {
  return line.replace(
    listLine,
    (_, lead: string, list: string) => `${lead} ${printCapabilities(afterLogin(parseList(list)))}`,
  )
}
