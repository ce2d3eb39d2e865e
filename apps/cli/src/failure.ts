/**
 * How a command ends when it does not succeed: one sentence for the operator, and an exit status that a script can tell
 * apart. Anything else that is thrown is a bug.
 */

/** `refused`: the server said no, or an edge failed or was silent. `unreachable`: no imapfleet server answered. */
export type FailureKind = 'refused' | 'usage' | 'unreachable'

export const exitStatus: Readonly<Record<FailureKind, number>> = { refused: 1, usage: 2, unreachable: 3 }

export class Failure extends Error {
  readonly kind: FailureKind
  /** The control plane's status, where it was the one that refused. */
  readonly httpStatus: number | undefined

  constructor(kind: FailureKind, message: string, httpStatus?: number) {
    super(message)
    this.name = 'Failure'
    this.kind = kind
    this.httpStatus = httpStatus
  }
}

export const usage = (message: string) => new Failure('usage', message)

/** It may be another answer in a moment: nobody answered, or the control plane was busy or without its parts. */
export const isPassing = ({ kind, httpStatus = 0 }: Failure): boolean =>
  kind === 'unreachable' || httpStatus === 429 || httpStatus >= 500
