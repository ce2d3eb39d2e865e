/** A contestant: a proxy, or none, started in front of a server with its best configuration. */
import { execFileSync } from 'node:child_process'
import { userInfo } from 'node:os'
import type { BenchChild } from '../child.ts'
import type { ContestantName } from '../options.ts'

export interface Contestant {
  name: ContestantName
  /** What exactly was measured, for the report. */
  version: string
  /** Number of idle logged-in connections that it can keep on this machine; 0: it keeps none. */
  idleMax: number
  /**
   * Starts it in front of the server on `onwardPort`. Without a process, clients connect to the server itself.
   * `directory` is empty and writable for a program that has dropped its privileges.
   */
  start(onwardPort: number, directory: string): Promise<{ port: number; process?: BenchChild }>
}

export interface Missing {
  name: ContestantName
  remedy: string
}

export const idleWanted = 10_000
/** Connections besides the idle ones, for concurrent logins. */
export const spare = 100

/** The account for a proxy that refuses to run as root. */
export function unprivileged(): { user: string; group: string } {
  const user = process.getuid?.() === 0 ? 'nobody' : userInfo().username
  return { user, group: execFileSync('id', ['-gn', user], { encoding: 'utf8' }).trim() }
}
