/** The set-up for one contestant at one distance: Dovecot, the relays to it, the contestant, and Roundcube in front. */
import { chmodSync } from 'node:fs'
import {
  dovecotServer,
  layGround,
  removeTemporaryDirectory,
  temporaryDirectory,
  type Ground,
} from '@imapfleet/local'
import { cpuSeconds, processTree } from '../accounting.ts'
import { startRelay } from '../edge/programs.ts'
import { pluginOf, startPagesProxy, type PagesContestant, type PagesProxy } from './contestants.ts'
import { writeMailbox } from './mailbox.ts'
import { startRoundcube } from './roundcube.ts'
import type { BrowsingUser } from './session.ts'
import { CountingTap } from './tap.ts'

const password = 'browsing'
const anyUser = `passdb {
  driver = static
  args = password=${password}
}`

export interface PagesLine {
  contestant: PagesContestant
  ground: Ground
  url: string
  /** Before the server. */
  tap: CountingTap
  /** Between Roundcube and the contestant. */
  front: CountingTap
  proxy: PagesProxy
  /** Of every user. */
  password: string
  /** A user with a fresh mailbox. Names have the same length. */
  newUser(): BrowsingUser
  serverCpuSeconds(): number
  proxyCpuSeconds(): number
  stop(): Promise<void>
}

export interface LineOptions {
  contestant: PagesContestant
  delayMs: number
  mailboxSeed: number
}

const stopsOfLiving = new Set<() => Promise<void>>()

/** Stops all lines that still run, after an interruption. */
export async function stopLines(): Promise<void> {
  await Promise.all(Array.from(stopsOfLiving, (stop) => stop()))
}

export async function startPagesLine(options: LineOptions): Promise<PagesLine> {
  const directory = temporaryDirectory('pages')
  chmodSync(directory, 0o777)
  const ground = layGround(directory)
  const stops: (() => Promise<void> | void)[] = [() => removeTemporaryDirectory(directory)]
  const stop = async () => {
    for (const each of stops.splice(0).toReversed()) await each()
    stopsOfLiving.delete(stop)
  }
  stopsOfLiving.add(stop)
  try {
    const dovecot = await dovecotServer({ ground, settings: anyUser })
    await dovecot.process.start()
    stops.push(() => dovecot.process.stop())
    const tap = await CountingTap.to(dovecot.port)
    stops.push(() => tap.close())
    const relay = options.delayMs > 0 ? await startRelay(tap.port, options.delayMs) : undefined
    if (relay) stops.push(() => relay.stop())
    const proxy = await startPagesProxy(options.contestant, ground, relay?.port ?? tap.port)
    stops.push(() => proxy.stop())
    const front = await CountingTap.to(proxy.port)
    stops.push(() => front.close())
    const roundcube = await startRoundcube(ground, front.port, pluginOf(options.contestant))
    stops.push(() => roundcube.stop())
    let users = 0
    return {
      contestant: options.contestant,
      password,
      ground,
      url: roundcube.url,
      tap,
      front,
      proxy,
      newUser() {
        const name = `user${String(++users).padStart(3, '0')}`
        writeMailbox(ground, name, options.mailboxSeed)
        return { name, password }
      },
      serverCpuSeconds: () => treeCpuSeconds(dovecot.process.pid),
      proxyCpuSeconds: () => treeCpuSeconds(proxy.pid),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** A process may end between the two reads; its time is then part of its parent's. */
function treeCpuSeconds(root: number | undefined): number {
  if (root === undefined) return 0
  for (let attempt = 0; ; attempt++)
    try {
      return cpuSeconds(processTree(root))
    } catch (error) {
      if (attempt === 5) throw error
    }
}
