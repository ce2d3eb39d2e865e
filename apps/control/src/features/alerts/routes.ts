/** Routes of alerts. */
import type { alertRoutes } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import type { Handlers } from '../../platform/http/handlers.ts'
import {
  acknowledgeAlert,
  changeAlertRule,
  endAlertSilence,
  listAlertChannels,
  listAlertRules,
  listAlerts,
  listAlertSilences,
  readAlert,
  resetAlertRule,
  silenceAlerts,
  testAlertChannel,
} from './service.ts'

export const alertHandlers = (deps: Deps): Handlers<typeof alertRoutes> => ({
  listAlerts: ({ actor, query }) => listAlerts(deps, actor.limits, query),
  readAlert: ({ actor, params }) => readAlert(deps, actor, params.id),
  acknowledgeAlert: ({ actor, params, body }) => acknowledgeAlert(deps, actor, params.id, body),
  listAlertSilences: ({ query }) => listAlertSilences(deps, query),
  silenceAlerts: ({ actor, body }) => silenceAlerts(deps, actor, body),
  endAlertSilence: ({ actor, params }) => endAlertSilence(deps, actor, params.id),
  listAlertRules: () => listAlertRules(deps),
  changeAlertRule: ({ actor, params, body }) => changeAlertRule(deps, actor, params.rule, body),
  resetAlertRule: ({ actor, params }) => resetAlertRule(deps, actor, params.rule),
  listAlertChannels: () => listAlertChannels(deps),
  testAlertChannel: ({ actor, params }) => testAlertChannel(deps, actor, params.name),
})
