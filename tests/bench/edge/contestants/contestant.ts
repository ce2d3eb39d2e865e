/** Who takes part: a proxy, or none, that can be started in front of a server with the configuration that suits it best. */
import { execFileSync } from 'node:child_process'
import { userInfo } from 'node:os'
import type { BenchChild } from '../child.ts'
import type { ContestantName } from '../options.ts'

export interface Contestant {
  name: ContestantName
  /** What exactly was measured, for the report. */
  version: string
  /** How many idle logged-in connections it can keep on this machine; 0: it keeps none. */
  idleMax: number
  /**
   * Starts it in front of the server on `onwardPort`; without a process, clients go to the server itself. `directory`
   * is empty, and a program that has given up its rights may write there.
   */
  start(onwardPort: number, directory: string): Promise<{ port: number; process?: BenchChild }>
}

export interface Missing {
  name: ContestantName
  remedy: string
}

export const idleWanted = 10_000
/** Connections beyond the idle ones: those that are logging in at the same time. */
export const spare = 100

/** Whom a proxy that will not run as root is told to become. */
export function unprivileged(): { user: string; group: string } {
  const user = process.getuid?.() === 0 ? 'nobody' : userInfo().username
  return { user, group: execFileSync('id', ['-gn', user], { encoding: 'utf8' }).trim() }
}
