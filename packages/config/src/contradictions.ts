/**
 * What no single field can know: settings that contradict one another. It sees documents whose single fields may be
 * wrong too, so that a configuration with several mistakes names all of them at once; hence nothing is taken for granted.
 */
import { isIPv4 } from 'node:net'
import { tlsVersions } from './fields.ts'

export interface Contradiction {
  path: (string | number)[]
  message: string
}

/** A section of which nothing is known. */
type Loose = Record<string, unknown>

export function contradictionsOf(config: unknown): Contradiction[] {
  const document = asSection(config)
  const listeners = entriesOf(document['listeners'])
  const upstreams = entriesOf(document['upstreams'])
  return [
    ...(isEmpty(document['listeners']) ? [at(['listeners'], 'needs at least one listener')] : []),
    ...(isEmpty(document['upstreams']) ? [at(['upstreams'], 'needs at least one upstream')] : []),
    ...listeners.flatMap(([key, listener]) => inListener(['listeners', key], listener)),
    ...collisions(listeners, asSection(document['http'])),
    ...upstreams.flatMap(([key, upstream]) => inUpstream(['upstreams', key], upstream)),
    ...together(['fleet'], asSection(document['fleet']), ['tlsCertFile', 'tlsKeyFile']),
    ...danglingRoutes(document),
  ]
}

function inListener(path: string[], listener: Loose): Contradiction[] {
  const { tls, requireTls } = listener
  if (tls === 'starttls' || tls === 'implicit')
    return ['certFile', 'keyFile']
      .filter((key) => !listener[key])
      .map((key) => at([...path, key], `is needed with tls: ${tls}`))
  if (requireTls === true && tls === 'none')
    return [at([...path, 'requireTls'], 'needs tls: starttls or tls: implicit, else nobody can log in')]
  return together(path, listener, ['certFile', 'keyFile'])
}

function inUpstream(path: string[], upstream: Loose): Contradiction[] {
  const [least, most] = [upstream['minTlsVersion'], upstream['maxTlsVersion']].map((version) =>
    tlsVersions.findIndex((known) => known === version),
  ) as [number, number]
  return [
    ...together(path, upstream, ['masterUser', 'masterPassword', 'sharedSecret']),
    ...together(path, upstream, ['certFile', 'keyFile']),
    ...(least >= 0 && most >= 0 && least > most
      ? [at([...path, 'minTlsVersion'], `must not be above maxTlsVersion, which is ${tlsVersions[most]}`)]
      : []),
  ]
}

/** All of these keys or none. */
function together(path: string[], section: Loose, keys: string[]): Contradiction[] {
  const given = keys.filter((key) => section[key])
  const missing = keys.filter((key) => !section[key])
  const [first] = given
  return first && missing.length > 0 ? [at([...path, first], `needs ${missing.join(' and ')} beside it`)] : []
}

function danglingRoutes(document: Loose): Contradiction[] {
  const routes = Array.isArray(document['routes']) ? document['routes'].map(asSection) : []
  return routes.flatMap((route, index) =>
    (['upstream', 'listener'] as const).flatMap((kind) => {
      const target = route[kind]
      if (typeof target !== 'string' || Object.hasOwn(asSection(document[`${kind}s`]), target)) return []
      return [at(['routes', index, kind], `there is no ${kind} named ${target}`)]
    }),
  )
}

/** Sockets that could not be bound side by side. Each is told where the first one stands. */
function collisions(listeners: [string, Loose][], http: Loose): Contradiction[] {
  const sockets = [
    ...listeners.map(([key, value]) => ({ path: ['listeners', key], value })),
    { path: ['http'], value: http },
  ]
  return sockets.flatMap(({ path, value }, index) => {
    const first = sockets
      .slice(0, index)
      .find((other) => value['port'] && other.value['port'] === value['port'] && overlap(other.value, value))
    return first ? [at([...path, 'port'], `is taken by ${first.path.join('.')} on the same address`)] : []
  })
}

function overlap(one: Loose, other: Loose): boolean {
  const [a, b] = [one['address'], other['address']]
  if (typeof a !== 'string' || typeof b !== 'string') return false
  // A socket on :: takes IPv4 connections as well.
  if (a === b || a === '::' || b === '::') return true
  return isIPv4(a) && isIPv4(b) && (a === '0.0.0.0' || b === '0.0.0.0')
}

const at = (path: (string | number)[], message: string): Contradiction => ({ path, message })
const isSection = (value: unknown): value is Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isEmpty = (value: unknown) => isSection(value) && Object.keys(value).length === 0
const asSection = (value: unknown): Loose => (isSection(value) ? value : {})
const entriesOf = (value: unknown): [string, Loose][] =>
  Object.entries(asSection(value)).map(([key, entry]) => [key, asSection(entry)])
