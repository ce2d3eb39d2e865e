/**
 * Measures where the CPU time of a session goes, in the edge and in HAProxy: user and system time, system calls (strace), and
 * the parts of the program (perf).
 */
import { execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { findProgram, removeTemporaryDirectory, temporaryDirectory } from '@imapfleet/local'
import { BenchError } from '../problem.ts'
import { findContestant } from '../edge/contestants/find.ts'
import { startLine, type Line } from '../edge/line.ts'
import type { ContestantName } from '../edge/options.ts'
import { runLoad, type LoadResult } from '../edge/programs.ts'
import { benchScenarios } from '../edge/scenarios.ts'

const run = promisify(execFile)
/** Seconds of load before the measurement. */
const warmSeconds = 10
const profiled: readonly ContestantName[] = ['imapfleet', 'HAProxy']
const ticksPerSecond = 100

export interface CpuProfile {
  userUs: number
  systemUs: number
  /** By name, for each session. */
  calls: Map<string, number>
  /** Shares of the samples. */
  parts: Map<string, number>
}

export type CpuProfiles = ReadonlyMap<ContestantName, CpuProfile>

/** @param seconds of each of the three loads: undisturbed, under perf, and under strace */
export async function measureProfiles(seconds: number): Promise<CpuProfiles> {
  for (const program of ['strace', 'perf'])
    if (findProgram(program) === undefined)
      throw new BenchError(`${program} is not here: apt-get install strace linux-perf`)
  const profiles = new Map<ContestantName, CpuProfile>()
  for (const name of profiled) profiles.set(name, await profileOf(name, seconds))
  return profiles
}

async function profileOf(name: ContestantName, seconds: number): Promise<CpuProfile> {
  const contestant = findContestant(name)
  if ('remedy' in contestant) throw new BenchError(`${name} is not here: ${contestant.remedy}`)
  const line = await startLine(contestant, 0)
  const directory = temporaryDirectory('bench')
  try {
    await load(line, Math.min(warmSeconds, seconds * 2))
    const [pid] = line.pids()
    const before = timesOf(pid!)
    const { sessions } = await load(line, seconds)
    const after = timesOf(pid!)
    const us = (ticks: number) => (ticks * 1e6) / ticksPerSecond / sessions
    const parts = await samplesOf(pid!, join(directory, 'perf.data'), () => load(line, seconds))
    return {
      userUs: us(after.user - before.user),
      systemUs: us(after.system - before.system),
      calls: await callsOf(pid!, join(directory, 'calls'), () => load(line, seconds)),
      parts,
    }
  } finally {
    await line.stop()
    await removeTemporaryDirectory(directory)
  }
}

function load(line: Line, seconds: number): Promise<LoadResult> {
  const { script, users, atOnce } = benchScenarios.find(({ key }) => key === 'sessions-16')!
  return runLoad({ port: line.port, atOnce, users, script, length: { seconds }, watch: [] })
}

function timesOf(pid: number): { user: number; system: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number)
  return { user, system }
}

/** Under strace the program is far slower, so only the numbers count. */
async function callsOf(
  pid: number,
  file: string,
  loaded: () => Promise<LoadResult>,
): Promise<Map<string, number>> {
  const strace = spawn('strace', ['-c', '-f', '-U', 'name,calls', '-o', file, '-p', String(pid)], {
    stdio: 'ignore',
  })
  const ended = once(strace, 'close')
  await pause(1000)
  const { sessions } = await loaded()
  strace.kill('SIGINT')
  await ended
  const counts = [...readFileSync(file, 'utf8').matchAll(/^(\w+)\s+(\d+)$/gm)]
    .filter(([, name]) => name !== 'total')
    .map(([, name, count]) => [name!, Number(count) / sessions] as const)
  return new Map([...counts.filter(([, count]) => count > 0.02)])
}

async function samplesOf(
  pid: number,
  file: string,
  loaded: () => Promise<LoadResult>,
): Promise<Map<string, number>> {
  const perf = spawn('perf', ['record', '-F', '999', '-o', file, '-p', String(pid)], { stdio: 'ignore' })
  const ended = once(perf, 'close')
  await pause(500)
  await loaded()
  perf.kill('SIGINT')
  await ended
  const args = [
    'report',
    '-i',
    file,
    '--stdio',
    '--sort',
    'dso,symbol',
    '-F',
    'overhead,dso,symbol',
    '-t',
    '|',
  ]
  const { stdout } = await run('perf', args, { maxBuffer: 1 << 26 })
  const parts = new Map<string, number>()
  for (const row of stdout.split('\n')) {
    const [overhead = '', object = '', symbol = ''] = row.split('|').map((cell) => cell.trim())
    const share = Number.parseFloat(overhead)
    if (!(share > 0)) continue
    const part = partOf(object, symbol)
    parts.set(part, (parts.get(part) ?? 0) + share)
  }
  return parts
}

function partOf(object: string, symbol: string): string {
  if (symbol.startsWith('[k]')) return 'kernel'
  if (/perf-\d+\.map|^\[?JIT|^\/\/anon/.test(object)) return 'compiled JavaScript'
  if (/Scaveng|MarkCompact|Marking|Sweep|Evacuat|GarbageC|\bHeap\b|ConcurrentMark/.test(symbol))
    return 'garbage collection'
  if (/Builtins_/.test(symbol)) return 'built-in functions of V8'
  if (/v8::/.test(symbol)) return 'V8, the rest'
  if (/node::/.test(symbol)) return 'Node'
  if (/\buv_/.test(symbol)) return 'libuv'
  if (/libc/.test(object)) return 'libc'
  return object.includes('haproxy') ? 'HAProxy' : 'other'
}
