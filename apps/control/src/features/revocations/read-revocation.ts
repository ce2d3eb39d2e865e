/** One revocation and its progress. */
import type { RevocationStatus } from '@imapfleet/api'
import { selectEdges } from '../edges/queries.ts'
import { findRevocation } from './queries.ts'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../../platform/errors.ts'
import { revocationStatus } from './revocation-view.ts'

export async function readRevocation({ db }: Deps, sequence: number): Promise<RevocationStatus> {
  const row = await findRevocation(db.orm, sequence)
  if (!row)
    throw new ServiceError(
      'revocation_unknown',
      `No revocation has the sequence ${sequence}: GET /v1/revocations lists all revocations.`,
    )
  return revocationStatus(row, await selectEdges(db.orm))
}
