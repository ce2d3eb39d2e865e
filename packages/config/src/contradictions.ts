/**
 * Finds every contradiction in a configuration. A rule about the keys of one section is in the file of that section; the
 * rules between sections are here.
 */
import { isIPv4 } from 'node:net'
import { contradiction, type Contradiction, type UncheckedSection } from './section-rule.ts'
import { isSection } from './schema-walk.ts'
import { contradictionsInFleet } from './sections/fleet.ts'
import { contradictionsInListener } from './sections/listeners.ts'
import { contradictionsInUpstream } from './sections/upstreams.ts'

/** @param config with its defaults filled in; values of a wrong type are ignored, because resolve.ts reports them */
export function contradictionsOf(config: unknown): Contradiction[] {
  const document = asSection(config)
  const listeners = entriesOf(document['listeners'])
  const upstreams = entriesOf(document['upstreams'])
  return [
    ...(isEmpty(document['listeners']) ? [contradiction('listeners', 'needs at least one listener')] : []),
    ...(isEmpty(document['upstreams']) ? [contradiction('upstreams', 'needs at least one upstream')] : []),
    ...listeners.flatMap(([name, entry]) => below(['listeners', name], contradictionsInListener(entry))),
    ...portsTwice(listeners, asSection(document['http'])),
    ...upstreams.flatMap(([name, entry]) => below(['upstreams', name], contradictionsInUpstream(entry))),
    ...below(['fleet'], contradictionsInFleet(asSection(document['fleet']))),
    ...oneFileForBothLogs(document),
    ...routesToNowhere(document),
  ]
}

/** Sockets that cannot be bound at the same time; reported at the later one. */
function portsTwice(listeners: [string, UncheckedSection][], http: UncheckedSection): Contradiction[] {
  const sockets = [
    ...listeners.map(([name, entry]) => ({ path: ['listeners', name], entry })),
    { path: ['http'], entry: http },
  ]
  return sockets.flatMap(({ path, entry }, index) => {
    const first = sockets
      .slice(0, index)
      .find((other) => entry['port'] && other.entry['port'] === entry['port'] && overlap(other.entry, entry))
    if (!first) return []
    return below(path, [
      contradiction('port', `is already used by ${first.path.join('.')} on the same address`),
    ])
  })
}

function overlap(one: UncheckedSection, other: UncheckedSection): boolean {
  const [a, b] = [one['address'], other['address']]
  if (typeof a !== 'string' || typeof b !== 'string') return false
  // A socket on :: accepts IPv4 connections as well.
  if (a === b || a === '::' || b === '::') return true
  return isIPv4(a) && isIPv4(b) && (a === '0.0.0.0' || b === '0.0.0.0')
}

/** XPROXY_NEWLOG empties the file of the protocol log. */
function oneFileForBothLogs(document: UncheckedSection): Contradiction[] {
  const [log, trace] = [asSection(document['log'])['file'], asSection(document['trace'])['file']]
  if (log === undefined || log !== trace) return []
  return below(['log'], [contradiction('file', 'is already the file of the protocol log, trace.file')])
}

function routesToNowhere(document: UncheckedSection): Contradiction[] {
  const routes = Array.isArray(document['routes']) ? document['routes'].map(asSection) : []
  return routes.flatMap((route, index) =>
    (['upstream', 'listener'] as const).flatMap((kind) => {
      const name = route[kind]
      if (typeof name !== 'string' || Object.hasOwn(asSection(document[`${kind}s`]), name)) return []
      return below(['routes', index], [contradiction(kind, `names ${name}, but there is no such ${kind}`)])
    }),
  )
}

const below = (path: (string | number)[], found: Contradiction[]): Contradiction[] =>
  found.map((each) => ({ ...each, path: [...path, ...each.path] }))
const isEmpty = (value: unknown) => isSection(value) && Object.keys(value).length === 0
const asSection = (value: unknown): UncheckedSection => (isSection(value) ? value : {})
const entriesOf = (value: unknown): [string, UncheckedSection][] =>
  Object.entries(asSection(value)).map(([name, entry]) => [name, asSection(entry)])
