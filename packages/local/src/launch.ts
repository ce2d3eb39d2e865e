/**
 * Starts a child in its own session, so that Ctrl-C reaches only us and we stop the parts in order. The parent death
 * signal of setpriv ends it if we die, even by `kill -9`. Without setpriv (Debian always has it, macOS does not) such
 * leftovers are stopped at the next start.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import type { SystemAccount } from './account.ts'
import type { Ground } from './ground.ts'

export interface Launch {
  command: string
  args: string[]
  env: NodeJS.ProcessEnv
  cwd: string
  /** An open file for the output of the child. */
  log: number
  /** The signal that it gets when we die. */
  deathSignal: NodeJS.Signals
  account: SystemAccount | undefined
}

export function launch({ command, args, env, cwd, log, deathSignal, account }: Launch): ChildProcess {
  const wrapped = asAccount(command, args, account, ['--pdeathsig', deathSignal.replace('SIG', '')])
  return spawn(wrapped.command, wrapped.args, {
    ...wrapped.identity,
    env,
    cwd,
    detached: true,
    stdio: ['ignore', log, log],
  })
}

const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path))

/** The capability to pass any directory, even if a program checks beforehand (access(2) drops it otherwise). */
const wayFlags = [
  '--securebits=+no_setuid_fixup',
  '--inh-caps=-all,+dac_override',
  '--ambient-caps=-all,+dac_override',
]

/** Runs a program to its end as the account of the ground. Rejects if it fails. */
export async function runToEnd(
  { account }: Pick<Ground, 'account'>,
  command: string,
  args: string[],
  { cwd, env }: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<void> {
  const wrapped = asAccount(command, args, account)
  await promisify(execFile)(wrapped.command, wrapped.args, { ...wrapped.identity, cwd, env })
}

interface Wrapped {
  command: string
  args: string[]
  identity: { uid?: number; gid?: number }
}

/** A command line that runs as an account, with additional flags of setpriv if there is one. */
export function asAccount(
  command: string,
  args: string[],
  account?: SystemAccount,
  more: string[] = [],
): Wrapped {
  if (!setpriv) return { command, args, identity: account ? { uid: account.uid, gid: account.gid } : {} }
  const flags = [...more]
  if (account) flags.push('--reuid', `${account.uid}`, '--regid', `${account.gid}`, '--clear-groups')
  if (account?.needsWay) flags.push(...wayFlags)
  return flags.length === 0
    ? { command, args, identity: {} }
    : { command: setpriv, args: [...flags, command, ...args], identity: {} }
}
