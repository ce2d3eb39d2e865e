/**
 * Applies the desired state of this edge: configuration, revocations, traces, drain. The edge reads it from its own key
 * after each connect, after each announced change and at intervals. An older version never replaces a newer one, also
 * after a restart.
 */
import { isDeepStrictEqual } from 'node:util'
import { printProblem, withoutHostKeys, type Layer } from '@imapfleet/config'
import type { NatsHandles } from '@imapfleet/nats'
import { reasonOf } from '@imapfleet/observe'
import {
  decode,
  desiredEntry,
  desiredSchema,
  replacedVersionsMax,
  type Desired,
  type EdgeAddress,
  type LayerVersions,
  type Revocation,
} from '@imapfleet/protocol'
import type { Edge } from '../edge/edge.ts'
import type { FleetRevision, RejectedRevision } from '../edge/start.ts'
import { revoke } from '../ops/operations.ts'
import { runtime } from '../runtime.ts'
import { readLastGood, resolveOver, writeLastGood } from './last-good.ts'
import type { StateDirectory } from './state-directory.ts'
import type { FleetTraces } from './traces.ts'

export interface DesiredStateOptions {
  edge: Edge
  address: EdgeAddress
  /** The current content of the edge's own file. The fleet's layer is merged over it. */
  document: () => Layer
  /** The revision with which the edge could not start. It is not applied later either. */
  rejected: RejectedRevision | undefined
  stateDirectory: StateDirectory
  traces: FleetTraces
}

/** Control reports a restore at most once in ten minutes, and has to see the next one after that. */
const replacedKeptMs = 3_600_000

export class DesiredState {
  readonly #options: DesiredStateOptions
  #version = 0
  /** Newest first. `at`: when the version was replaced, from runtime.now(). */
  #replaced: readonly { version: number; at: number }[] = []
  /** The previous run applied this version. It is applied once more, with its traces. */
  #isOfPreviousRun = false
  /** The last configuration without mistakes. */
  #config: Desired['config'] | undefined
  #rejected: RejectedRevision | undefined
  #revocations = 0
  /** The revocations of the applied state. Each is applied once, whatever the order of their numbers. */
  #revoked: ReadonlySet<string> = new Set()
  #reading: Promise<void> = Promise.resolve()

  constructor(options: DesiredStateOptions) {
    this.#options = options
  }

  /** The applied version; 0: none. */
  get version(): number {
    return this.#version
  }

  /** The versions that were replaced within the last hour, newest first. The first may be from the previous run. */
  get replaced(): number[] {
    const oldest = runtime.now() - replacedKeptMs
    return this.#replaced.filter(({ at }) => at > oldest).map(({ version }) => version)
  }

  /** The layers in force. Undefined if control did not name them. */
  get versions(): LayerVersions | undefined {
    return this.#config ? this.#config.versions : noLayers
  }

  /** The revision in force; 0: only the file. */
  get applied(): number {
    return this.#config?.revision ?? 0
  }

  get rejected(): RejectedRevision | undefined {
    return this.#rejected
  }

  /** The highest sequence of the applied revocations. */
  get revocations(): number {
    return this.#revocations
  }

  /** Applies the last state of the previous run, without its traces, which have no readers any more. */
  restore(): void {
    const { edge, stateDirectory } = this.#options
    const last = readLastGood(stateDirectory.path, edge.context.log)
    if (last) this.#apply({ ...last, traces: [] })
    this.#isOfPreviousRun = true
  }

  /** Applies the fleet's layer again, after the edge's own file has changed. */
  reapply(): void {
    if (this.#config) this.#applyConfig(this.#config)
  }

  /** Reads the key of this edge and applies a newer version. Reads do not overlap. Never rejects. */
  fetch(fleet: NatsHandles): Promise<void> {
    this.#reading = this.#reading.then(() => this.#fetch(fleet))
    return this.#reading
  }

  async #fetch(fleet: NatsHandles): Promise<void> {
    const { edge, address } = this.#options
    const { log } = edge.context
    const { stream, subject } = desiredEntry(address)
    let data: Uint8Array | undefined
    try {
      data = (await fleet.manager.direct.getMessage(stream, { last_by_subj: subject }))?.data
    } catch (error) {
      log.debug('desired_unread', { reason: reasonOf(error) })
    }
    // No entry: control does not know this edge yet.
    if (!data || data.length === 0) return
    const decoded = decode(desiredSchema, data)
    if (!decoded.ok) return log.warn('desired_unreadable', { reason: decoded.reason })
    if (!this.#isNew(decoded.value)) return
    try {
      this.#apply(decoded.value)
    } catch (error) {
      log.error('desired_unapplied', { version: decoded.value.version, reason: reasonOf(error) })
    }
  }

  #isNew({ version }: Desired): boolean {
    if (version < this.#version)
      this.#options.edge.context.log.warn('desired_older', { version, applied: this.#version })
    return version > this.#version || (version === this.#version && this.#isOfPreviousRun)
  }

  #apply(desired: Desired): void {
    const { edge, stateDirectory, traces } = this.#options
    for (const revocation of desired.revocations) this.#revoke(revocation)
    this.#revoked = new Set(desired.revocations.map(keyOf))
    this.#applyConfig(desired.config)
    traces.follow(desired.traces)
    if (desired.drain) edge.drain()
    else edge.resume()
    // Set last: if a step above fails, the next read applies the state again, and no heartbeat reports it as applied.
    this.#noteReplaced(desired.version)
    this.#version = desired.version
    this.#isOfPreviousRun = false
    // The version is also stored if the configuration was rejected, together with the last valid configuration.
    writeLastGood(stateDirectory, { ...desired, config: this.#config ?? nothing })
  }

  #noteReplaced(by: number): void {
    if (this.#version === 0 || this.#version === by) return
    const replaced = { version: this.#version, at: runtime.now() }
    this.#replaced = [replaced, ...this.#replaced].slice(0, replacedVersionsMax)
  }

  /** Applies all of the configuration, or nothing if it has a mistake. */
  #applyConfig(config: Desired['config']): boolean {
    const { edge, document, rejected } = this.#options
    if (rejected && isSame(config, rejected)) return this.#reject(config, rejected.reason)
    const resolved = resolveOver(document(), config.layer)
    if (!resolved.ok) {
      const reason = resolved.problems.map((problem) => printProblem(problem)).join('; ')
      return this.#reject(config, reason)
    }
    try {
      // If a file can no longer be read, this is not a fault of the revision.
      edge.apply(resolved.config, { certificates: 'kept' })
    } catch (error) {
      return this.#reject(config, reasonOf(error).replaceAll('\n', '; '))
    }
    if (!isSame(config, this.#config ?? nothing))
      edge.context.log.info('config_applied', { revision: config.revision })
    const { ignored } = withoutHostKeys(config.layer as Layer)
    if (ignored.length > 0)
      edge.context.log.warn('config_keys_ignored', {
        keys: ignored.join(','),
        reason: 'only the configuration file of the edge can set them',
      })
    this.#config = config
    this.#rejected = undefined
    return true
  }

  #reject({ revision, versions }: FleetRevision, reason: string): false {
    this.#rejected = {
      revision: Math.max(1, revision),
      reason: reason.slice(0, 4000),
      ...(versions && { versions }),
    }
    this.#options.edge.context.log.error('config_rejected', { revision, reason })
    return false
  }

  #revoke(revocation: Revocation): void {
    if (this.#revoked.has(keyOf(revocation))) return
    const { edge } = this.#options
    const { kind, subject } = revocation
    const connections = revoke(edge.context, { kind, subject })
    this.#revocations = Math.max(this.#revocations, revocation.sequence)
    edge.context.log.info('revoked', { kind, subject, connections })
  }
}

const noLayers: LayerVersions = { global: 0, region: 0, edge: 0 }
const nothing: Desired['config'] = { revision: 0, layer: {}, versions: noLayers }

const isSame = (a: FleetRevision, b: FleetRevision): boolean =>
  a.revision === b.revision && isDeepStrictEqual(a.versions, b.versions)

const keyOf = ({ sequence, kind, subject }: Revocation): string => `${sequence}/${kind}/${subject}`
