/** How a command fails: one sentence for the operator, and an exit status for scripts. Any other exception is a bug. */
import { NoAnswerError, ProblemError } from '@imapfleet/client'
import { withCommands } from './hints.ts'

/**
 * `refused`: the server refused, or an edge failed or was silent. `different`: a comparison found differences.
 * `unreachable`: no imapfleet server answered.
 */
export type FailureKind = 'refused' | 'different' | 'usage' | 'unreachable'

export const exitStatus: Readonly<Record<FailureKind, number>> = {
  refused: 1,
  different: 1,
  usage: 2,
  unreachable: 3,
}

export class Failure extends Error {
  readonly kind: FailureKind
  /** Printed before the message, a line each. */
  readonly details: readonly string[]

  constructor(kind: FailureKind, message: string, details: readonly string[] = []) {
    super(message)
    this.name = 'Failure'
    this.kind = kind
    this.details = details
  }
}

export const usage = (message: string) => new Failure('usage', message)

/** Mistakes in files, each on a line that begins with its place, as compilers print them. */
export const mistaken = (mistakes: readonly string[], path: string) =>
  mistakes.length === 1
    ? usage(mistakes[0] ?? '')
    : new Failure('usage', `${path} has ${mistakes.length} mistakes`, mistakes)

/** A request that failed, as a failure of the command; undefined for a bug. */
export function failureOf(error: unknown): Failure | undefined {
  if (error instanceof Failure) return error
  if (error instanceof NoAnswerError) return new Failure('unreachable', error.message)
  if (error instanceof ProblemError) return new Failure('refused', refusalText(error))
  return undefined
}

const refusalText = ({ status, code, origin, message }: ProblemError) =>
  code === 'session_over'
    ? `you are signed out of ${origin}: run \`imapfleet login ${origin}\``
    : status === 401
      ? `${origin} does not accept this token: make one on the control plane's host with ` +
        '`imapfleet-control token create --name NAME --role operator`, then run `imapfleet login`'
      : withCommands(message)
