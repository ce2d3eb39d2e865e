/** How a command fails: one sentence for the operator, and an exit status for scripts. Any other exception is a bug. */

/** `refused`: the server refused, or an edge failed or was silent. `unreachable`: no imapfleet server answered. */
export type FailureKind = 'refused' | 'usage' | 'unreachable'

export const exitStatus: Readonly<Record<FailureKind, number>> = { refused: 1, usage: 2, unreachable: 3 }

export class Failure extends Error {
  readonly kind: FailureKind
  /** The HTTP status, if the control plane refused. */
  readonly httpStatus: number | undefined

  constructor(kind: FailureKind, message: string, httpStatus?: number) {
    super(message)
    this.name = 'Failure'
    this.kind = kind
    this.httpStatus = httpStatus
  }
}

export const usage = (message: string) => new Failure('usage', message)

/** A retry may succeed: no answer, or the control plane was busy or without NATS or Postgres. */
export const isPassing = ({ kind, httpStatus = 0 }: Failure): boolean =>
  kind === 'unreachable' || httpStatus === 429 || httpStatus >= 500
