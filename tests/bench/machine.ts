/** The machine and the commit of a measurement. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { alignedTable } from './table.ts'

export interface Machine {
  date: string
  cpu: string
  system: string
  commit: string
}

/** `folders`: the sources that the figures depend on. The commit is marked if one of them has changes. */
export function describeMachine(...folders: string[]): Machine {
  const cpu = cpus()[0]?.model ?? 'unknown CPU'
  const gigabytes = Math.round(totalmem() / 2 ** 30)
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: `${availableParallelism()} × ${cpu}, ${gigabytes} GB`,
    system: `${distribution()}, Linux ${release()}`,
    commit: commit(folders),
  }
}

/** @param more rows below, such as the versions of programs */
export const machineTable = (
  { date, cpu, system, commit: at }: Machine,
  more: readonly (readonly [string, string])[] = [],
): string =>
  alignedTable(
    ['', ''],
    [['date', date], ['machine', cpu], ['system', system], ['commit', at], ...more.map((row) => [...row])],
  )

function distribution(): string {
  try {
    return /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux'
  } catch {
    return 'Linux'
  }
}

function commit(folders: readonly string[]): string {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim()
  try {
    const changed = git('status', '--porcelain', '--', ...folders.map((folder) => `:/${folder}`))
    return git('rev-parse', '--short', 'HEAD') + (changed ? ' with uncommitted changes' : '')
  } catch {
    return 'unknown'
  }
}
