/** Alerts in words and colours. */
import { withMoments, type AlertSilence, type AlertView } from '@imapfleet/api'
import { durationOf, momentOf } from '../format/time.ts'

export const alertTone = ({ severity }: Pick<AlertView, 'severity'>): 'bad' | 'warn' =>
  severity === 'page' ? 'bad' : 'warn'

/** The alert is acknowledged or silenced. */
export const isMuted = ({ acknowledged, silencedBy }: AlertView): boolean =>
  acknowledged !== null || silencedBy !== null

export function alertStateWords(alert: AlertView): string {
  if (alert.state !== 'open') return alert.state
  if (alert.acknowledged) return 'acknowledged'
  return alert.silencedBy === null ? 'open' : 'silenced'
}

/** Who muted an open alert, until when, and why. Empty: the alert is not muted. `silences`: the known ones. */
export function muteWords(
  { acknowledged, silencedBy }: AlertView,
  silences: readonly AlertSilence[],
  now: Date,
): string {
  const until = (time: string, reason: string) => `until ${momentOf(new Date(time), now)}: ${reason}`
  if (acknowledged)
    return `Acknowledged by ${acknowledged.by} ${until(acknowledged.until, acknowledged.reason)}`
  if (silencedBy === null) return ''
  const silence = silences.find(({ id }) => id === silencedBy)
  return silence
    ? `Silenced by ${silence.createdBy} ${until(silence.endsAt, silence.reason)}`
    : `Silenced by silence ${silencedBy}`
}

export const alertDuration = ({ since, resolvedAt }: AlertView, now: Date): string =>
  durationOf((resolvedAt === null ? now.getTime() : Date.parse(resolvedAt)) - Date.parse(since))

export function silenceWords({ rule, region, edge, subject }: AlertSilence): string {
  const parts = Object.entries({ rule, region, edge, subject }).flatMap(([name, value]) =>
    value === null ? [] : [`${name} ${value}`],
  )
  return parts.length === 0 ? 'everything' : parts.join(', ')
}

/** A sentence of control or of an edge, with its times in the time zone of the console. */
export const withLocalTimes = (text: string, now: Date): string =>
  withMoments(text, (moment) => momentOf(new Date(moment), now))

export const alertText = ({ text }: Pick<AlertView, 'text'>, now: Date): string => withLocalTimes(text, now)
