/** Figures of the operating system: process trees, CPU time, and how busy the machine was. */
import { readdirSync, readFileSync } from 'node:fs'

const ticksPerSecond = 100

/** A process and everything below it. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const parent = parentOf(entry)
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(entry)])
  }
  const tree = [root]
  for (const pid of tree) tree.push(...(children.get(pid) ?? []))
  return tree
}

/** User and system time of these processes so far, including ended children, which no longer have their own times. */
export function cpuSeconds(pids: number[]): number {
  return pids.reduce((sum, pid) => {
    const stat = statOf(pid)
    if (stat === undefined) return sum
    const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 15)
      .map(Number)
    return sum + (user + system + endedUser + endedSystem) / ticksPerSecond
  }, 0)
}

export interface MachineTimes {
  /** CPU time of all programs, in nanoseconds. */
  busyNs: number
  /** Time in which a program was ready, and the host of this virtual machine ran something else (steal, in top). */
  stolenNs: number
}

export function machineTimes(): MachineTimes {
  const fields = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]?.split(/\s+/).slice(1).map(Number) ?? []
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields
  const ns = (ticks: number) => (ticks / ticksPerSecond) * 1e9
  return { busyNs: ns(user + nice + system + irq + softirq), stolenNs: ns(steal) }
}

/** The limit of open files of our processes. */
export function openFilesMax(): number {
  const hard = /^Max open files\s+\d+\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  return hard === undefined || hard === 'unlimited' ? 1_048_576 : Number(hard)
}

function parentOf(pid: string): number | undefined {
  const stat = statOf(pid)
  return stat === undefined ? undefined : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
}

/** Undefined: it has ended. */
function statOf(pid: number | string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
}
