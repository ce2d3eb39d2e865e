/**
 * Makes every edge stop reusing the server connections of a user or a domain. A silent edge does so when it returns.
 */
import type { RevocationStatus } from '@imapfleet/api'
import type { Actor } from '../../platform/access.ts'
import { writeAudit } from '../audit/service.ts'
import { selectEdges } from '../edges/queries.ts'
import { changeFleet, distributeDesired } from '../desired/service.ts'
import { insertRevocation } from './queries.ts'
import type { Deps } from '../../deps.ts'
import { revocationStatus } from './revocation-view.ts'

export interface RevocationInput {
  kind: 'user' | 'domain'
  subject: string
  note: string
}

export async function addRevocation(
  deps: Deps,
  actor: Actor,
  input: RevocationInput,
): Promise<RevocationStatus> {
  const { kind, note } = input
  const subject = kind === 'domain' ? input.subject.replace(/^@/, '').toLowerCase() : input.subject
  const row = await changeFleet(deps.db, async (queries, version) => {
    const at = new Date(deps.now())
    const written = await insertRevocation(queries, {
      sequence: version,
      kind,
      subject,
      at,
      note,
      createdBy: actor.name,
    })
    const after = { sequence: version, note }
    await writeAudit(queries, { actor: actor.name, action: `revoke.${kind}`, target: subject, after })
    return written
  })
  await distributeDesired(deps)
  return revocationStatus(row, await selectEdges(deps.db.orm))
}
