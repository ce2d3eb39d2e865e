/**
 * Parses capability lists of servers, reduces them to what the edge supports, and prints them for clients. Names keep the
 * spelling of the server, but their case has no meaning (RFC 9051 7.2.2).
 */

/** Capabilities of one connection or of the login. The edge handles them separately on each side. */
const hopByHop = new Set(['STARTTLS', 'LOGINDISABLED', 'SASL-IR'])
/** Never offered to clients: these extensions hide the protocol from the edge, or change the user or the server. */
const never = /^(COMPRESS=.*|UNAUTHENTICATE|LOGIN-REFERRALS|MAILBOX-REFERRALS)$/i

/** A line with a list: `* CAPABILITY …`, `* OK [CAPABILITY …] …`, `a1 OK [CAPABILITY …] …`. DavMail sends several blanks after `*`. */
const listLine = /^(\* +CAPABILITY|\S+ +(?:OK|NO|BAD|BYE|PREAUTH) \[CAPABILITY) ([^\]\r\n]*)/i

/** The list in a line of a server: the names in order, without duplicates. Undefined: the line has no list. */
export function capabilitiesIn(line: string): readonly string[] | undefined {
  const match = listLine.exec(line)
  if (!match) return undefined
  const [whole, lead = '', list = ''] = match
  // A code without its closing bracket is invalid, and its contents may not be capabilities.
  const isBroken = lead.includes('[') && line[whole.length] !== ']'
  return isBroken ? undefined : parseList(list)
}

/** The last list in these lines. */
export const lastCapabilities = (lines: readonly string[]): readonly string[] | undefined =>
  lines.map(capabilitiesIn).findLast((list) => list !== undefined)

/** A cache of parsed lists by text. A server sends the same list on all its connections, which then share one array. */
const parsed = new Map<string, readonly string[]>()
const parsedMax = 16

function parseList(text: string): readonly string[] {
  const known = parsed.get(text)
  if (known) return known
  const byName = new Map<string, string>()
  for (const name of text.match(/\S+/g) ?? [])
    if (/^[!-~]+$/.test(name) && !byName.has(name.toUpperCase())) byName.set(name.toUpperCase(), name)
  const list = [...byName.values()]
  if (parsed.size >= parsedMax) parsed.clear()
  parsed.set(text, list)
  return list
}

const upperCase = new WeakMap<readonly string[], ReadonlySet<string>>()

/** Whether a list has this name, which must be in upper case. The comparison is cached for each list. */
export function offers(list: readonly string[], name: string): boolean {
  return upperCaseOf(list).has(name)
}

function upperCaseOf(list: readonly string[]): ReadonlySet<string> {
  let names = upperCase.get(list)
  if (!names) upperCase.set(list, (names = new Set(list.map((each) => each.toUpperCase()))))
  return names
}

/** The SASL mechanisms in a list, in upper case. */
export const mechanismsIn = (list: readonly string[]): string[] =>
  [...upperCaseOf(list)].filter((name) => name.startsWith('AUTH=')).map((name) => name.slice('AUTH='.length))

/** The text of a status without its capability list, if it begins with one. */
export const withoutCapabilities = (text: string): string => text.replace(/^\[CAPABILITY [^\]]*\]? ?/i, '')

/** The part of a server's list that a logged-in client may see. */
export function afterLogin(server: readonly string[]): string[] {
  return server.filter(
    (name) => !never.test(name) && !hopByHop.has(name.toUpperCase()) && !/^AUTH=/i.test(name),
  )
}

/** Whether the server has UNSELECT, which deselects without expunging (RFC 3691, RFC 9051 6.4.2). */
export const hasUnselect = (server: readonly string[]): boolean =>
  offers(server, 'UNSELECT') || offers(server, 'IMAP4REV2')

/** Whether the server has ESEARCH, so that the answer to SEARCH RETURN names its tag (RFC 4731). */
export const hasEsearch = (server: readonly string[]): boolean => offers(server, 'ESEARCH')

const printed = new WeakMap<readonly string[], string>()

/** `afterLogin`, printed. The text is cached for each list. */
export function printAfterLogin(server: readonly string[]): string {
  let text = printed.get(server)
  if (text === undefined) printed.set(server, (text = afterLogin(server).join(' ')))
  return text
}

/** The capabilities that all lists have, in the order of the first list. Empty lists are ignored. */
export function commonCapabilities(lists: readonly (readonly string[])[]): readonly string[] {
  const [first, ...others] = lists.filter((list) => list.length > 0)
  return first?.filter((name) => others.every((list) => offers(list, name.toUpperCase()))) ?? []
}

export interface BeforeLogin {
  mechanisms: readonly string[]
  offerStartTls: boolean
  loginDisabled: boolean
  adminCommands: boolean
}

/** The list before login: the server's capabilities after login, and those of the edge before login. */
export function beforeLogin(server: readonly string[], own: BeforeLogin): string[] {
  const base = server.length > 0 ? afterLogin(server) : ['IMAP4rev1']
  return [
    ...base,
    ...(own.offerStartTls ? ['STARTTLS'] : []),
    ...(own.loginDisabled ? ['LOGINDISABLED'] : saslOffer(own.mechanisms)),
    ...(own.adminCommands ? ['XIMAPPROXY'] : []),
  ]
}

const saslOffer = (mechanisms: readonly string[]): string[] =>
  mechanisms.length > 0 ? ['SASL-IR', ...mechanisms.map((name) => `AUTH=${name}`)] : []

/** Reduces the capability list in a line to `afterLogin`, also in a code without closing bracket. Other lines are unchanged. */
export function filterCapabilityLine(line: string): string {
  return line.replace(
    listLine,
    (_, lead: string, list: string) => `${lead} ${afterLogin(parseList(list)).join(' ')}`,
  )
}
