/** A credential for each edge, issued by control, and kept while control lists it as valid. */
import { enrolmentListSchema, enrolmentMadeSchema } from '@imapfleet/api'
import { existsSync, readFileSync } from 'node:fs'
import type { ControlProcess } from './control.ts'
import type { Ground } from './ground.ts'
import { LocalError } from './local-error.ts'
import type { Nats } from './nats-server.ts'
import { writePrivate } from './secret-file.ts'

export interface Enroller {
  ground: Ground
  nats: Nats
  control: ControlProcess
  /** The token of an admin. */
  token: string
}

/** The file with it; undefined if all edges share one credential. */
export async function enrollByApi(
  { ground, nats, control, token }: Enroller,
  { id, region }: { id: string; region: string },
): Promise<string | undefined> {
  if (!nats.keys) return undefined
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const file = `${nats.keys.edgesDirectory}/${id}.creds`
  const listed = await fetch(`${control.api}/v1/enrolments?edge=${id}&limit=500`, { headers })
  if (!listed.ok)
    throw new LocalError('part_failed', `control does not list enrolments: status ${listed.status}`)
  const { enrolments } = enrolmentListSchema.parse(await listed.json())
  const kept = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const isValid = enrolments.some(
    (each) => each.revokedAt === null && each.region === region && keyIn(kept) === each.key,
  )
  if (isValid) return file
  const body = JSON.stringify({ region })
  const made = await fetch(`${control.api}/v1/edges/${id}/enrolments`, { method: 'POST', headers, body })
  if (!made.ok) throw new LocalError('part_failed', `${id} could not be enrolled: ${await made.text()}`)
  writePrivate(file, enrolmentMadeSchema.parse(await made.json()).credentials, ground.account)
  return file
}

/** The edge of a credential: the subject of its signed part. */
function keyIn(credentials: string): string | undefined {
  const claims = /^[\w-]+\.([\w-]+)\.[\w-]+$/m.exec(credentials)?.[1]
  if (claims === undefined) return undefined
  const { sub } = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as { sub?: string }
  return sub
}
