/** What stands between Roundcube and the mail server: nothing, imapproxy, or the edge with and without answer-ahead and its plugin. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { edgeStatsSchema, type EdgeStats } from '@imapfleet/protocol'
import type { Layer } from '@imapfleet/config'
import { edgeNodeFlags, edgeProxy, ownDirectory, repository, type Ground } from '@imapfleet/local'
import { askOnce } from './http.ts'
import { findContestant } from '../edge/contestants/find.ts'
import { bundleDirectory } from '../edge/programs.ts'

export const pagesContestants = [
  'direct',
  'imapproxy',
  'edge',
  'edge with ahead',
  'ahead and plugin',
] as const
export type PagesContestant = (typeof pagesContestants)[number]

/** A contestant in front of the server. */
export interface PagesProxy {
  port: number
  /** Undefined: there is none. */
  pid: number | undefined
  /** Undefined if it is not an edge. */
  stats: (() => Promise<EdgeStats>) | undefined
  stop(): Promise<void>
}

/** Undefined: it can be started here. Otherwise why not. */
export function whyMissing(name: PagesContestant): string | undefined {
  if (asksAhead(name) && !hasAhead()) return 'this checkout has no upstreams.*.ahead'
  if (name === 'ahead and plugin' && !pluginOf(name)) return 'this checkout has no plugin in infra/roundcube'
  if (name !== 'imapproxy') return undefined
  const found = findContestant('imapproxy')
  return 'remedy' in found ? found.remedy : undefined
}

export const asksAhead = (name: PagesContestant) => name === 'edge with ahead' || name === 'ahead and plugin'

/** The directory of the plugin for Roundcube that belongs to a contestant. */
export function pluginOf(name: PagesContestant): string | undefined {
  return name === 'ahead and plugin'
    ? globSync(join(repository, 'infra', 'roundcube', '*', '*.php')).map((file) => dirname(file))[0]
    : undefined
}

export async function startPagesProxy(
  name: PagesContestant,
  ground: Ground,
  onwardPort: number,
): Promise<PagesProxy> {
  switch (name) {
    case 'direct':
      return { port: onwardPort, pid: undefined, stats: undefined, stop: async () => {} }
    case 'imapproxy':
      return startImapproxy(ground, onwardPort)
    case 'edge':
      return startEdge(ground, onwardPort, hasAhead() ? { ahead: 'off' } : {})
    case 'edge with ahead':
    case 'ahead and plugin':
      return startEdge(ground, onwardPort, { ahead: 'on' })
  }
}

async function startImapproxy(ground: Ground, onwardPort: number): Promise<PagesProxy> {
  const found = findContestant('imapproxy')
  if ('remedy' in found) throw new Error(found.remedy)
  const directory = ownDirectory(ground, 'imapproxy')
  const { port, process } = await found.start(onwardPort, directory)
  return { port, pid: process?.pid, stats: undefined, stop: async () => process?.stop() }
}

async function startEdge(ground: Ground, onwardPort: number, upstream: Layer): Promise<PagesProxy> {
  const edge = await edgeProxy({
    ground,
    id: 'bench',
    region: 'bench',
    upstream: { host: '127.0.0.1', port: onwardPort },
    config: { upstreams: { main: upstream }, log: { level: 'error' } },
    // The program and the flags of a package.
    program: join(bundleDirectory, 'imapfleet-edge.mjs'),
    nodeFlags: edgeNodeFlags,
  })
  await edge.process.start()
  return {
    port: edge.imapPort,
    pid: edge.process.pid,
    stats: async () =>
      edgeStatsSchema.parse(JSON.parse((await askOnce(`http://127.0.0.1:${edge.httpPort}/stats`)).text)),
    stop: () => edge.process.stop(),
  }
}

function hasAhead(): boolean {
  const sections = join(repository, 'packages', 'config', 'src', 'sections')
  return /^ {2}ahead: field\(/m.test(readFileSync(join(sections, 'upstreams.ts'), 'utf8'))
}
