/** The heartbeat: identity, configuration and health of an edge. Sent on core NATS; a lost one is replaced by the next. */
import { configName } from '@imapfleet/config/names'
import { z } from 'zod'
import { desiredVersionSchema, layerVersionsSchema } from './desired.ts'
import { instant, senderShape, storableText } from './envelope.ts'
import { histogramSchema, inClosedSet, measurementShape } from './measurements.ts'

const heartbeatInterval = z.int().min(1).max(3_600_000)

/** The most replaced versions of the desired state that a heartbeat names. */
export const replacedVersionsMax = 8

export const presenceSchema = z
  .object({
    ...senderShape,
    version: storableText(64),
    /** The `rightsVersion` that this edge was made for. Missing: 2 or older. */
    rights: z.int().min(1).max(1_000_000).optional(),
    /** 1 for the first heartbeat of a boot. It orders them even if the clock of the edge is put back. */
    sequence: z.int().min(1).optional(),
    /** By the same clock as `at`, read at the same moment: their difference is how long this boot has run. */
    startedAt: instant,
    /** The interval of heartbeats. After three missing ones the edge counts as silent. 5 s if left out. */
    heartbeatMs: heartbeatInterval.optional(),
    state: z.enum(['serving', 'draining', 'stopping']),
    /** The desired state that this edge has applied; version 0: none. Missing: the edge is older than this field. */
    desired: z
      .object({
        version: desiredVersionSchema,
        /**
         * The versions that this one replaced within the last hour, the newest first. They show control that Postgres was
         * restored, also if it did not hear this edge while they were in force.
         */
        replaced: z.array(desiredVersionSchema).max(replacedVersionsMax).optional(),
      })
      .optional(),
    config: z.object({
      /** The applied revision; 0 until the fleet has sent one. */
      applied: z.int().min(0),
      /** The layers of the applied configuration. Missing if the desired state did not name them. */
      versions: layerVersionsSchema.optional(),
      /** The last revision that this edge refused, and the layers of the refused configuration. */
      rejected: z
        .object({
          revision: z.int().min(1),
          reason: storableText(4096),
          versions: layerVersionsSchema.optional(),
        })
        .optional(),
    }),
    /** Sequence of the last applied revocation. */
    revocations: z.int().min(0),
    /** Series keys of `metrics` to values. */
    gauges: measurementShape.gauges,
    /**
     * Cumulative since boot, as in a report. Live views compute rates from them. Missing in a heartbeat that acknowledges the
     * desired state: after a change all edges send one at the same time, between their regular ones.
     */
    counters: measurementShape.counters.optional(),
    /** Of `login_seconds`, cumulative since boot. Missing together with `counters`. */
    logins: histogramSchema.optional(),
    /** Problems, in words for an operator; empty if there are none. */
    degraded: z.array(storableText(500)).max(50),
    /** Set while the state directory cannot be written: what is applied is lost at a restart. One of `degraded`. */
    unsaved: storableText(500).optional(),
    /** `host:port` of each IMAP listener, for display. */
    listeners: z.array(storableText(300)).max(50),
  })
  .transform(inClosedSet)
export type Presence = z.infer<typeof presenceSchema>

/** What a heartbeat of any wire version has: enough to show that the edge exists, and what it speaks. */
export const foreignPresenceSchema = z.object({
  v: z.int().min(0).max(1_000_000),
  edge: configName,
  region: configName,
  boot: z.uuid().optional().catch(undefined),
  version: storableText(64).optional().catch(undefined),
  heartbeatMs: heartbeatInterval.optional().catch(undefined),
})
export type ForeignPresence = z.infer<typeof foreignPresenceSchema>
