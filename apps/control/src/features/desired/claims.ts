/**
 * The versions that edges claim to run. A version that this database did not issue is of another history: Postgres was
 * restored from an older dump, the edge comes from another fleet, or the claim is false.
 */
import type { LayerVersions, Presence } from '@imapfleet/protocol'
import type { Database } from '../../platform/db/database.ts'
import type { OwnLayerVersions } from './applied.ts'
import { ownLayerVersions, ownVersions, versionsSince, type OwnLayer } from './queries.ts'

/** What is stored of one heartbeat, in the columns of the edge's row. */
export interface Claims {
  desiredClaimed: number | null
  desiredVersion: number | null
  /** The versions that it runs, or ran within the last hour, and that this database did not issue. */
  foreign: readonly number[]
  configVersions: OwnLayerVersions | null
  configRejectedVersions: OwnLayerVersions | null
  /** All revocations of this database up to this version were applied. */
  revocationsApplied: number
}

/** More than the versions and layers of a fleet whose edges each have a layer. */
const rememberedMax = 50_000
const rememberedMs = 30_000

/**
 * A cache of the versions that this database has issued. A fleet claims the same few versions each second. The cache is
 * cleared when a connection is lost, because the next database may be an older one. It also expires after a short time,
 * because an older dump can be restored into the current database, and a proxy in front of Postgres can hide the lost
 * connection.
 */
export class IssuedClaims {
  readonly #db: Pick<Database, 'sql' | 'losses'>
  readonly #clock: () => number
  #since: number
  #versions = new Set<number>()
  #layers = new Set<string>()
  #losses = 0

  /** `clock`: milliseconds that never go back. */
  constructor(db: Pick<Database, 'sql' | 'losses'>, clock = () => performance.now()) {
    this.#db = db
    this.#clock = clock
    this.#since = clock()
  }

  /** The versions among the given ones that it has issued. */
  async versions(asked: readonly number[]): Promise<ReadonlySet<number>> {
    this.#forget()
    const unknown = asked.filter((version) => version > 0 && !this.#versions.has(version))
    const own = await ownVersions(this.#db.sql, unknown)
    for (const version of own) this.#versions.add(version)
    return new Set(asked.filter((version) => own.has(version) || this.#versions.has(version)))
  }

  /** The keys of the given layers whose versions it has issued. */
  async layers(asked: readonly OwnLayer[]): Promise<ReadonlySet<string>> {
    this.#forget()
    const unknown = asked.filter((layer) => layer.version > 0 && !this.#layers.has(keyOf(layer)))
    const own = await ownLayerVersions(this.#db.sql, [...new Set(unknown.map(({ version }) => version))])
    for (const layer of own) this.#layers.add(keyOf(layer))
    return this.#layers
  }

  #forget(): void {
    const losses = this.#db.losses()
    const now = this.#clock()
    const isSame = losses === this.#losses && now - this.#since < rememberedMs
    this.#losses = losses
    if (!isSame) this.#since = now
    if (!isSame || this.#versions.size > rememberedMax) this.#versions = new Set()
    if (!isSame || this.#layers.size > rememberedMax) this.#layers = new Set()
  }
}

export async function ownClaims(
  db: Pick<Database, 'sql' | 'losses'>,
  heard: readonly Presence[],
  issued = new IssuedClaims(db),
): Promise<Claims[]> {
  const claimed = heard.flatMap(({ desired, revocations }) => (desired ? versionsOf(desired) : [revocations]))
  const layers = heard.flatMap((presence) => [
    ...layersOf(presence, presence.config.versions),
    ...layersOf(presence, presence.config.rejected?.versions),
  ])
  const versions = await issued.versions(claimed)
  const isUnknown = (version: number) => version > 0 && !versions.has(version)
  const since = claimed.some(isUnknown) ? await versionsSince(db.sql) : Infinity
  const own = await issued.layers(layers)
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
      foreign: desired ? versionsOf(desired).filter((each) => isUnknown(each) && each >= since) : [],
      configVersions: ownOf(presence, config.versions),
      configRejectedVersions: ownOf(presence, config.rejected?.versions),
      revocationsApplied: revoked,
    }
  })
}

const versionsOf = ({ version, replaced = [] }: NonNullable<Presence['desired']>): number[] => [
  version,
  ...replaced,
]

function layersOf({ region, edge }: Presence, versions: LayerVersions | undefined): OwnLayer[] {
  if (!versions) return []
  return [
    { kind: 'global', name: '', version: versions.global },
    { kind: 'region', name: region, version: versions.region },
    { kind: 'edge', name: edge, version: versions.edge },
  ]
}

const keyOf = ({ kind, name, version }: OwnLayer): string => `${kind}/${name}/${version}`
