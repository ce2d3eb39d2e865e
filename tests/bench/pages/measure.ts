/** Plays one browsing session and measures each page: its time, and what reached the mail server meanwhile. */
import { setTimeout as pause } from 'node:timers/promises'
import { deliverMail } from './mailbox.ts'
import { normalPage } from './normal-page.ts'
import type { PagesLine } from './line.ts'
import { BrowsingSession, type PageKind } from './session.ts'

export interface PageSample {
  kind: PageKind
  what: string
  ms: number
  /** The part of it in which Roundcube waited for the mail server. */
  waitedMs: number
  /** Commands and bytes at the server, up to the next page. */
  commands: number
  bytes: number
  /** The answer without what differs between two sessions. */
  text: string
}

export interface SessionSample {
  pages: PageSample[]
  connections: number
  serverCpuMs: number
  proxyCpuMs: number
  /** Counters of the edge that grew. */
  counters: Record<string, number>
}

export interface PlayOptions {
  seed: number
  pauseMs: number
  shorter?: number | undefined
  onPage?: (kind: PageKind, what: string) => void
}

/** The server works for a moment after the last page: resets, and unused questions. */
const settleMs = 300

export async function playSession(line: PagesLine, options: PlayOptions): Promise<SessionSample> {
  const { tap, front, ground, proxy } = line
  const user = line.newUser()
  const pages: PageSample[] = []
  const before = {
    server: line.serverCpuSeconds(),
    proxy: line.proxyCpuSeconds(),
    connections: tap.counts.connections,
    stats: await proxy.stats?.(),
  }
  let open: { page: PageSample; commands: number; bytes: number } | undefined
  const bytesSoFar = () => tap.counts.bytesFromClients + tap.counts.bytesFromServer
  const close = () => {
    if (!open) return
    open.page.commands = tap.counts.commands - open.commands
    open.page.bytes = bytesSoFar() - open.bytes
    open = undefined
  }
  const session = new BrowsingSession({
    url: line.url,
    user,
    seed: options.seed,
    shorter: options.shorter,
    deliver: (folder, number) => deliverMail(ground, user.name, folder, number),
    async visit({ kind, what }, ask) {
      if (pages.length > 0 && options.pauseMs > 0) await pause(options.pauseMs)
      close()
      options.onPage?.(kind, what)
      const page: PageSample = { kind, what, ms: 0, waitedMs: 0, commands: 0, bytes: 0, text: '' }
      open = { page, commands: tap.counts.commands, bytes: bytesSoFar() }
      const waitedBefore = front.counts.waitedMs
      const began = performance.now()
      const answer = await ask()
      page.ms = performance.now() - began
      page.waitedMs = front.counts.waitedMs - waitedBefore
      page.text = normalPage(answer.text, {
        user: user.name,
        url: line.url,
        secrets: session.webmail.secrets,
      })
      pages.push(page)
      return answer
    },
  })
  await session.play()
  await pause(settleMs)
  close()
  const after = await proxy.stats?.()
  const connections = tap.counts.connections - before.connections
  return {
    pages,
    connections,
    serverCpuMs: (line.serverCpuSeconds() - before.server) * 1000,
    proxyCpuMs: (line.proxyCpuSeconds() - before.proxy) * 1000,
    counters: before.stats && after ? growth(before.stats.counters, after.counters) : {},
  }
}

function growth(before: Record<string, number>, after: Record<string, number>): Record<string, number> {
  const grown = Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)] as const)
  return Object.fromEntries(grown.filter(([, value]) => value > 0))
}
