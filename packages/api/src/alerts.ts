/** Alerts: problems that persist, their acknowledgement, and where they are sent. */
import { configName } from '@imapfleet/config/names'
import { z } from 'zod'
import { alertRuleNames, alertSeverities } from './alert-rules.ts'
import { decimalNumber, numberedPage } from './pages.ts'
import { route } from './route.ts'

const ruleName = z.enum(alertRuleNames)
const reason = z.string().trim().min(1, 'say why').max(500)
/** A mute without an end would be forgotten. */
const seconds = z.int().min(60).max(2_592_000)

export const alertStateSchema = z.enum(['pending', 'open', 'resolved'])

export const alertSchema = z
  .object({
    id: z.int(),
    rule: ruleName,
    severity: z.enum(alertSeverities),
    /** The title of the rule. */
    title: z.string(),
    /** What it is about, unique within the rule: an edge, an edge and an upstream, a region, a token. */
    subject: z.string(),
    region: z.string().nullable(),
    edge: z.string().nullable(),
    /** A sentence without a full stop. */
    text: z.string(),
    /** `pending`: the condition has not held for the hold time yet. */
    state: alertStateSchema,
    /** Since when the condition holds. */
    since: z.iso.datetime(),
    openedAt: z.iso.datetime().nullable(),
    resolvedAt: z.iso.datetime().nullable(),
    /** A person has acknowledged the alert. After `until` it is sent again if it is still open. */
    acknowledged: z
      .object({ by: z.string(), at: z.iso.datetime(), until: z.iso.datetime(), reason: z.string() })
      .nullable(),
    /** The number of the silence that mutes it now. */
    silencedBy: z.int().nullable(),
    /** What to do next. A sentence. */
    action: z.string(),
  })
  .meta({ id: 'Alert' })
export type AlertView = z.infer<typeof alertSchema>

/** `next` is the `before` of the next page. */
export const alertListSchema = z.object({
  alerts: z.array(alertSchema),
  next: z.int().nullable(),
  /** Channels whose last attempt failed, as sentences. */
  problems: z.array(z.string()),
})

export const alertMessageSchema = z
  .object({
    id: z.uuid(),
    channel: z.string(),
    at: z.iso.datetime(),
    /** `failed`: given up after a day of attempts. */
    state: z.enum(['waiting', 'sent', 'failed']),
    attempts: z.int(),
    sentAt: z.iso.datetime().nullable(),
    /** Of the last attempt. */
    error: z.string().nullable(),
  })
  .meta({ id: 'AlertMessage' })
export type AlertMessage = z.infer<typeof alertMessageSchema>

/** A change or an event shortly before an alert began. */
export const alertPrecedingSchema = z
  .object({
    at: z.iso.datetime(),
    /** Null: no person did it. */
    by: z.string().nullable(),
    /** Without a full stop. */
    text: z.string(),
    /** The revision that it is about. */
    revision: z.int().nullable(),
    /** The command that takes it back. Null: there is none. */
    undo: z.string().nullable(),
  })
  .meta({ id: 'AlertPreceding' })
export type AlertPreceding = z.infer<typeof alertPrecedingSchema>

/** An alert, its extent, changes and events before it, and the messages that were sent about it. */
export const alertDetailSchema = alertSchema.extend({
  /** Of an alert about an edge: how many edges of each region have an open alert of this rule, with its region first. */
  extent: z.array(z.object({ region: z.string(), edges: z.int(), of: z.int() })),
  /** Newest first. */
  preceding: z.array(alertPrecedingSchema),
  messages: z.array(alertMessageSchema),
})
export type AlertDetail = z.infer<typeof alertDetailSchema>

export const alertSilenceRequestSchema = z
  .object({
    /** What is left out matches everything. */
    rule: ruleName.optional(),
    region: configName.optional(),
    edge: configName.optional(),
    subject: z.string().min(1).max(300).optional(),
    reason,
    seconds,
  })
  .meta({ id: 'AlertSilenceRequest' })
export type AlertSilenceRequest = z.infer<typeof alertSilenceRequestSchema>

export const alertSilenceSchema = z
  .object({
    id: z.int(),
    rule: ruleName.nullable(),
    region: z.string().nullable(),
    edge: z.string().nullable(),
    subject: z.string().nullable(),
    reason: z.string(),
    createdBy: z.string(),
    createdAt: z.iso.datetime(),
    endsAt: z.iso.datetime(),
    /** Who ended it early. */
    endedBy: z.string().nullable(),
    isActive: z.boolean(),
  })
  .meta({ id: 'AlertSilence' })
export type AlertSilence = z.infer<typeof alertSilenceSchema>

export const alertRuleSettingsSchema = z
  .object({
    enabled: z.boolean().optional(),
    threshold: z.number().optional(),
    holdSeconds: z.int().min(0).max(86_400).optional(),
    clearSeconds: z.int().min(0).max(86_400).optional(),
  })
  .refine((given) => Object.keys(given).length > 0, 'names nothing to change')
  .meta({ id: 'AlertRuleSettings' })
export type AlertRuleSettings = z.infer<typeof alertRuleSettingsSchema>

export const alertRuleSchema = z
  .object({
    name: ruleName,
    title: z.string(),
    severity: z.enum(alertSeverities),
    means: z.string(),
    action: z.string(),
    enabled: z.boolean(),
    threshold: z.number().nullable(),
    unit: z.string().nullable(),
    /** Whether the alert opens above or below the threshold. */
    opens: z.enum(['above', 'below']).nullable(),
    holdSeconds: z.int(),
    clearSeconds: z.int(),
    /** It differs from the default. */
    isChanged: z.boolean(),
    changedBy: z.string().nullable(),
    changedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'AlertRule' })
export type AlertRuleView = z.infer<typeof alertRuleSchema>

/** Where alerts are sent. Addresses with secrets are not shown. */
export const alertChannelSchema = z
  .object({
    name: z.string(),
    kind: z.enum(['webhook', 'chat', 'mail']),
    /** The host, or the recipients. */
    target: z.string(),
    /** Only alerts of these severities and regions. Empty: all. */
    severities: z.array(z.enum(alertSeverities)),
    regions: z.array(z.string()),
    waiting: z.int(),
    /** Messages of the last 30 days that were given up. */
    failed: z.int(),
    lastSentAt: z.iso.datetime().nullable(),
    /** Why the last attempt failed. Null: it succeeded, or there was none. */
    problem: z.string().nullable(),
  })
  .meta({ id: 'AlertChannel' })
export type AlertChannelView = z.infer<typeof alertChannelSchema>

const oneAlert = z.object({ id: decimalNumber(1, Number.MAX_SAFE_INTEGER) })
const oneRule = z.object({ rule: ruleName })

export const alertRoutes = {
  listAlerts: route({
    method: 'GET',
    path: '/v1/alerts',
    tag: 'alerts',
    summary: 'Alerts: open and pending ones with pages before tickets, then newest first',
    role: 'viewer',
    limits: 'region',
    query: numberedPage.extend({
      /** `current`: pending and open ones. */
      state: z.enum(['current', 'open', 'pending', 'resolved', 'all']).default('open'),
      region: configName.optional(),
      edge: configName.optional(),
      rule: ruleName.optional(),
    }),
    answer: alertListSchema,
    returns: 'Alerts',
  }),
  readAlert: route({
    method: 'GET',
    path: '/v1/alerts/{id}',
    tag: 'alerts',
    summary: 'One alert, what was changed before it, and the messages that told of it',
    role: 'viewer',
    limits: 'region',
    params: oneAlert,
    answer: alertDetailSchema,
    returns: 'The alert',
  }),
  acknowledgeAlert: route({
    method: 'POST',
    path: '/v1/alerts/{id}/acknowledge',
    tag: 'alerts',
    summary: 'Say that someone knows of an alert; after the time it is sent again if it is still open',
    role: 'operator',
    limits: 'region',
    params: oneAlert,
    body: z.object({ reason, seconds }).meta({ id: 'AlertAcknowledgement' }),
    answer: alertSchema,
    returns: 'The alert',
  }),
  listAlertSilences: route({
    method: 'GET',
    path: '/v1/alert-silences',
    tag: 'alerts',
    summary: 'Silences, newest first',
    role: 'viewer',
    limits: 'unlimited-only',
    query: numberedPage,
    answer: z.object({ silences: z.array(alertSilenceSchema), next: z.int().nullable() }),
    returns: 'Silences',
  }),
  silenceAlerts: route({
    method: 'POST',
    path: '/v1/alert-silences',
    tag: 'alerts',
    summary: 'Send nothing about matching alerts for some time',
    description:
      'An alert matches if it agrees with everything that the silence names. An alert that opens meanwhile is sent when the ' +
      'silence ends, if it is still open.',
    role: 'operator',
    limits: 'unlimited-only',
    body: alertSilenceRequestSchema,
    status: 201,
    answer: alertSilenceSchema,
    returns: 'The silence',
  }),
  endAlertSilence: route({
    method: 'DELETE',
    path: '/v1/alert-silences/{id}',
    tag: 'alerts',
    summary: 'End a silence early',
    role: 'operator',
    limits: 'unlimited-only',
    params: oneAlert,
    answer: alertSilenceSchema,
    returns: 'The silence',
  }),
  listAlertRules: route({
    method: 'GET',
    path: '/v1/alert-rules',
    tag: 'alerts',
    summary: 'The rules of alerts with their thresholds and hold times',
    role: 'viewer',
    limits: 'region',
    answer: z.object({ rules: z.array(alertRuleSchema) }),
    returns: 'Rules',
  }),
  changeAlertRule: route({
    method: 'POST',
    path: '/v1/alert-rules/{rule}',
    tag: 'alerts',
    summary: 'Change the threshold or the hold times of a rule, or switch it off',
    role: 'operator',
    limits: 'unlimited-only',
    params: oneRule,
    body: alertRuleSettingsSchema,
    answer: alertRuleSchema,
    returns: 'The rule',
  }),
  resetAlertRule: route({
    method: 'DELETE',
    path: '/v1/alert-rules/{rule}',
    tag: 'alerts',
    summary: 'Return a rule to its defaults',
    role: 'operator',
    limits: 'unlimited-only',
    params: oneRule,
    answer: alertRuleSchema,
    returns: 'The rule',
  }),
  listAlertChannels: route({
    method: 'GET',
    path: '/v1/alert-channels',
    tag: 'alerts',
    summary: 'Where alerts are sent, and whether that works',
    role: 'viewer',
    limits: 'unlimited-only',
    answer: z.object({ channels: z.array(alertChannelSchema), deadMan: z.boolean() }),
    returns: 'Channels; `deadMan`: whether a dead man’s webhook is configured',
  }),
  testAlertChannel: route({
    method: 'POST',
    path: '/v1/alert-channels/{name}/test',
    tag: 'alerts',
    summary: 'Send a test message',
    role: 'operator',
    limits: 'unlimited-only',
    params: z.object({ name: configName }),
    status: 201,
    answer: alertMessageSchema,
    returns: 'The message; GET /v1/alert-channels shows whether it arrived',
  }),
} as const
