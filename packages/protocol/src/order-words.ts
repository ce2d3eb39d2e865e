/**
 * Orders in words, for operators: one row for each kind. A file of its own without schemas, because the console builds none
 * (ADR 49).
 */
import type { OrderAction, OrderKind, OrderResult } from './orders.ts'

interface Words<Kind extends OrderKind> {
  title: (action: OrderAction<Kind>) => string
  outcome: (result: OrderResult<Kind>) => string
}

const words: { [Kind in OrderKind]: Words<Kind> } = {
  who: {
    title: ({ user }) => (user === undefined ? 'list connections' : `list connections of ${user}`),
    outcome: (connections) => amount(connections.length, 'connection'),
  },
  'kick-user': {
    title: ({ user }) => `kick ${user}`,
    outcome: ({ sessions }) => `ended ${amount(sessions, 'session')}`,
  },
  'kick-domain': {
    title: ({ domain }) => `kick all users of ${domain}`,
    outcome: ({ sessions }) => `ended ${amount(sessions, 'session')}`,
  },
  'purge-idle': {
    title: ({ user }) =>
      user === undefined ? 'close idle connections' : `close idle connections of ${user}`,
    outcome: ({ connections }) => `closed ${amount(connections, 'idle connection')}`,
  },
  count: {
    title: () => 'count users and connections',
    outcome: ({ users, active, idle }) =>
      `${amount(users, 'user')}, ${amount(active, 'session')}, ${amount(idle, 'idle connection')}`,
  },
  'reset-counters': { title: () => 'reset counters', outcome: () => 'done' },
  newlog: { title: () => 'reopen the log files', outcome: () => 'done' },
  version: { title: () => 'show the version', outcome: ({ version }) => version },
  'route-lookup': {
    title: ({ user }) => `find the upstream of ${user}`,
    outcome: ({ upstream }) => upstream,
  },
  'pause-upstream': { title: ({ upstream }) => `pause upstream ${upstream}`, outcome: () => 'done' },
  'resume-upstream': { title: ({ upstream }) => `resume upstream ${upstream}`, outcome: () => 'done' },
}

/** For a kind that is known only at run time. */
const anyWords = words as unknown as Record<OrderKind, Words<OrderKind>>

/** `kick joe`. */
export const orderTitle = (action: OrderAction): string => anyWords[action.kind].title(action)

/** `ended 2 sessions`. The result must be of this kind. */
export const orderOutcome = <Kind extends OrderKind>(kind: Kind, result: OrderResult<Kind>): string =>
  anyWords[kind].outcome(result)

/** Made at first use: a browser needs 30 ms for its first formatter, and most pages of the console show no order. */
let grouped: Intl.NumberFormat | undefined

function amount(number: number, noun: string): string {
  grouped ??= new Intl.NumberFormat('en-US')
  return `${grouped.format(number)} ${noun}${number === 1 ? '' : 's'}`
}
