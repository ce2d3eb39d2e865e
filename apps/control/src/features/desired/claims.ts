/**
 * The versions that edges say to run. A version that this database did not issue is of another history: Postgres was
 * restored from an older dump, or the edge comes from another fleet, or it is not honest.
 */
import type { LayerVersions, Presence } from '@imapfleet/protocol'
import type { Sql } from '../../platform/db/sql.ts'
import type { OwnLayerVersions } from './applied.ts'
import { ownLayerVersions, ownVersions, versionsSince, type OwnLayer } from './queries.ts'

/** What is stored of one heartbeat, in the columns of the edge's row. */
export interface Claims {
  desiredClaimed: number | null
  desiredVersion: number | null
  /** It says to run a version that this database did not issue. */
  isForeign: boolean
  configVersions: OwnLayerVersions | null
  configRejectedVersions: OwnLayerVersions | null
  /** All revocations of this database up to this version were applied. */
  revocationsApplied: number
}

export async function ownClaims(sql: Sql, heard: readonly Presence[]): Promise<Claims[]> {
  const claimed = heard.flatMap(({ desired, revocations }) => [desired?.version ?? revocations])
  const layers = heard.flatMap((presence) => [
    ...layersOf(presence, presence.config.versions),
    ...layersOf(presence, presence.config.rejected?.versions),
  ])
  const versions = await ownVersions(sql, claimed)
  const since = claimed.some((version) => !versions.has(version)) ? await versionsSince(sql) : Infinity
  const own = new Set(
    (await ownLayerVersions(sql, [...new Set(layers.map((layer) => layer.version))])).map(keyOf),
  )
  const ownOf = (presence: Presence, stated: LayerVersions | undefined): OwnLayerVersions | null => {
    if (!stated) return null
    const one = (layer: OwnLayer) => (layer.version === 0 || own.has(keyOf(layer)) ? layer.version : null)
    const [global, region, edge] = layersOf(presence, stated).map(one)
    return { global: global ?? null, region: region ?? null, edge: edge ?? null }
  }
  return heard.map((presence) => {
    const { desired, revocations, config } = presence
    const version = desired && versions.has(desired.version) ? desired.version : null
    // An edge of a release without versions reports the sequence of its last revocation, which is a version too.
    const revoked = desired ? (version ?? 0) : versions.has(revocations) ? revocations : 0
    return {
      desiredClaimed: desired?.version ?? null,
      desiredVersion: version,
      isForeign: desired !== undefined && version === null && desired.version >= since,
      configVersions: ownOf(presence, config.versions),
      configRejectedVersions: ownOf(presence, config.rejected?.versions),
      revocationsApplied: revoked,
    }
  })
}

function layersOf({ region, edge }: Presence, versions: LayerVersions | undefined): OwnLayer[] {
  if (!versions) return []
  return [
    { kind: 'global', name: '', version: versions.global },
    { kind: 'region', name: region, version: versions.region },
    { kind: 'edge', name: edge, version: versions.edge },
  ]
}

const keyOf = ({ kind, name, version }: OwnLayer): string => `${kind}/${name}/${version}`
