/**
 * Classifies errors of Postgres: it is unavailable, it accepts no writes, another transaction is in the way, the data
 * cannot be stored, or a bug.
 */
import { describeTlsError, originOf } from '@imapfleet/observe'

export type Trouble = 'away' | 'read-only' | 'full' | 'busy' | 'unstorable' | 'bug'

/** Errors of postgres.js and of its socket. */
const awayCodes = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
])

/**
 * SQLSTATE classes of a server that cannot work now: connection, authorization, missing database, too few resources,
 * shutdown, system error; a transaction that Postgres ended because it was idle; and a missing table.
 */
const awayStates = /^(08|28|3D|53|57|58)|^25P03$|^42P01$|^40001$|^40P01$/
/** A lock could not be had in time. */
const busyStates = new Set(['55P03'])
/** Data exceptions, such as a NUL in a text, and violated constraints. */
const unstorableStates = /^(22|23)/

export function troubleOf(error: unknown): Trouble {
  if (describeTlsError(originOf(error)) !== undefined) return 'away'
  const code = codeOf(error)
  if (code === undefined) return 'bug'
  if (code === '25006') return 'read-only'
  if (code === '53100') return 'full'
  if (awayCodes.has(code) || awayStates.test(code)) return 'away'
  if (busyStates.has(code)) return 'busy'
  return unstorableStates.test(code) ? 'unstorable' : 'bug'
}

/** It can be over in a moment, without a change to the request or to control. */
export const isPassing = (error: unknown): boolean =>
  ['away', 'read-only', 'full', 'busy'].includes(troubleOf(error))

/** Codes of connections that were lost, perhaps while Postgres committed. */
const lossCodes = /^(CONNECTION_(CLOSED|ENDED|DESTROYED)|ECONNRESET|EPIPE|ETIMEDOUT|08...|57P0.)$/

/** Postgres certainly did not commit: it said so, or could not be reached at all. */
export const isRolledBack = (error: unknown): boolean =>
  troubleOf(error) !== 'bug' && !lossCodes.test(codeOf(error) ?? '')

function codeOf(error: unknown): string | undefined {
  const origin = originOf(error)
  const code = typeof origin === 'object' && origin !== null && 'code' in origin ? origin.code : undefined
  return typeof code === 'string' ? code : undefined
}
