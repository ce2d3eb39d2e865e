/**
 * Values of the API in words, for people. A file of its own without schemas, because the console builds none (ADR 49).
 */
import type { AlertDetail } from './alerts.ts'
import type { LayerName } from './layer.ts'
import type { AccessLimits } from './limits.ts'
import type { RolloutSummary } from './rollouts.ts'
import type { FleetTarget } from './target.ts'

/** `global`, `region/eu`, `edge/eu-1`. */
export const layerText = (layer: LayerName): string =>
  layer.kind === 'global' ? 'global' : `${layer.kind}/${layer.name}`

/** `all`, `region/eu`, `edge/eu-1`. */
export const fleetTargetText = (target: FleetTarget): string =>
  target.kind === 'all' ? target.kind : `${target.kind}/${target.name}`

/** `region eu, domains example.net and example.org`. Empty: there are none. */
export const limitsText = ({ regions, domains }: AccessLimits): string =>
  [listed('region', regions), listed('domain', domains)].filter((text) => text !== '').join(', ')

function listed(noun: string, names: readonly string[] = []): string {
  if (names.length === 0) return ''
  const [last] = names.slice(-1)
  return names.length === 1 ? `${noun} ${last}` : `${noun}s ${names.slice(0, -1).join(', ')} and ${last}`
}

/** Whether edges of a rollout can run another revision than the others. */
export const isUnderWay = ({ state }: Pick<RolloutSummary, 'state'>): boolean =>
  state === 'running' || state === 'paused'

/** Control cuts the text of an alert at this length, in characters. */
export const alertTextMax = 500

/** Regions without the problem that are named. */
const soundNamedMax = 3

/** `eu: 3 of 3 edges, us: none of 2`: the extent of an alert in words. Empty if it is about no edge. */
export function extentText(extent: AlertDetail['extent']): string {
  const hit = extent.filter(({ edges }) => edges > 0)
  const sound = extent.filter(({ edges }) => edges === 0)
  const named = sound.length <= soundNamedMax ? sound : []
  return [
    ...hit.map(({ region, edges, of }, at) => `${region}: ${edges} of ${of}${at === 0 ? ' edges' : ''}`),
    ...named.map(({ region, of }) => `${region}: none of ${of}`),
    ...(named.length < sound.length ? [`${sound.length} other regions: none`] : []),
  ].join(', ')
}

/** A sentence of control or of an edge, with its moments (ISO 8601) in other words. A date that does not exist stays. */
export const withMoments = (text: string, words: (moment: string) => string): string =>
  text.replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, (moment) =>
    isDate(moment) ? words(moment) : moment,
  )

/** Date.parse takes 30 February for 2 March. */
function isDate(moment: string): boolean {
  const ms = Date.parse(moment)
  return (
    !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(moment.slice(0, 'yyyy-mm-ddThh:mm:ss'.length))
  )
}
