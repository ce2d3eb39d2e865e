/**
 * A named child process: started, awaited until it is ready, stopped by its stop signal and then by force. Its output
 * goes to a log file. A child that exits before it is ready is reported with the last lines of its log.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { childEnvironment } from './environment.ts'
import type { Ground } from './ground.ts'
import { launch } from './launch.ts'
import { writePidFile } from './leftover.ts'
import { LocalError } from './local-error.ts'
import { groupRuns, signalGroup } from './process-group.ts'

export interface ProcessSpec {
  name: string
  command: string
  args: string[]
  /** Added to our own environment. Undefined removes a variable. */
  env?: Record<string, string | undefined>
  /** Its output goes to `logs/NAME.log`, its pid to `pids/NAME.json`. */
  ground: Ground
  /** The signal for a clean stop. */
  stopSignal?: 'SIGTERM' | 'SIGINT'
  /** The signal that it gets if we die, instead of `stopSignal`. */
  deathSignal?: 'SIGKILL'
  /** Called repeatedly until it returns true. A rejection counts as false. */
  isReady: () => Promise<boolean>
  readyWithinMs?: number
  graceMs?: number
  /** It can hand its work to a process that it starts itself, and end. */
  handsOver?: boolean
}

/** `signal` is null after an exit with a status, and the other way round. */
export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** Between two questions whether a child is ready. Each takes processor time from the child. */
const readyEveryMs = 50

export class LocalProcess {
  readonly name: string
  readonly logFile: string
  readonly #spec: ProcessSpec
  readonly #pidFile: string
  #child: ChildProcess | undefined
  /** Of the last child, if it hands over: the pid of the child. */
  #group: number | undefined
  #lastExit: Exit = { code: null, signal: null }
  #logStarted = false

  constructor(spec: ProcessSpec) {
    this.name = spec.name
    this.#spec = spec
    this.logFile = `${spec.ground.directory}/logs/${spec.name}.log`
    this.#pidFile = `${spec.ground.directory}/pids/${spec.name}.json`
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Starts it and waits until it is ready. If this rejects, the child has ended. */
  async start(signal?: AbortSignal): Promise<void> {
    const spec = this.#spec
    const child = this.#launch()
    const deadline = Date.now() + (spec.readyWithinMs ?? 120_000)
    try {
      for (;;) {
        const ready = await spec.isReady().catch(() => false)
        if (this.#child !== child) throw this.ending()
        if (ready) return
        if (signal?.aborted) throw new LocalError('aborted', `${this.name}: start was interrupted`)
        if (Date.now() > deadline) throw this.#failure('did not get ready in time')
        await sleep(readyEveryMs)
      }
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /** Sends the stop signal, and kills the child after the grace period. */
  async stop(): Promise<void> {
    if (!this.#child && this.#group === undefined) return
    this.#signal(this.#spec.stopSignal ?? 'SIGTERM')
    const late = setTimeout(() => this.#signal('SIGKILL'), this.#spec.graceMs ?? 10_000)
    await this.exited()
    while (this.isHandedOver) await sleep(20)
    clearTimeout(late)
    this.#forgetGroup()
  }

  /** `kill -9`, for tests of what survives it. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.exited()
  }

  send(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  /** It has ended, and a process that it handed its work to runs. */
  get isHandedOver(): boolean {
    return this.#child === undefined && this.#group !== undefined && groupRuns(this.#group)
  }

  /** Resolves when it has ended; immediately if it does not run. Processes that it handed its work to do not count. */
  async exited(): Promise<Exit> {
    if (this.#child) await once(this.#child, 'exit')
    return this.#lastExit
  }

  /** An error that says how its last process ended, with the end of its log. */
  ending(): LocalError {
    return this.#failure(`ended with ${describeExit(this.#lastExit)}`)
  }

  #launch(): ChildProcess {
    const spec = this.#spec
    mkdirSync(dirname(this.logFile), { recursive: true })
    if (!this.#logStarted && existsSync(this.logFile)) renameSync(this.logFile, `${this.logFile}.1`)
    this.#logStarted = true
    const log = openSync(this.logFile, 'a', 0o600)
    const stopSignal = spec.stopSignal ?? 'SIGTERM'
    const child = launch({
      command: spec.command,
      args: spec.args,
      env: childEnvironment(spec.env ?? {}),
      cwd: spec.ground.directory,
      log,
      deathSignal: spec.deathSignal ?? stopSignal,
      account: spec.ground.account,
    })
    closeSync(log)
    this.#child = child
    const handsOver = spec.handsOver ?? false
    this.#group = handsOver ? child.pid : undefined
    const forget = () => {
      this.#child = undefined
      this.#lastExit = { code: child.exitCode, signal: child.signalCode }
      if (!this.isHandedOver) this.#forgetGroup()
    }
    child.once('exit', forget)
    child.once('error', forget)
    if (child.pid !== undefined) writePidFile(this.#pidFile, child.pid, stopSignal, handsOver)
    return child
  }

  /** To the child, and to the processes that it handed its work to. */
  #signal(signal: NodeJS.Signals): void {
    if (this.#group === undefined) this.#child?.kill(signal)
    else signalGroup(this.#group, signal)
  }

  #forgetGroup(): void {
    this.#group = undefined
    rmSync(this.#pidFile, { force: true })
  }

  #failure(what: string): LocalError {
    const lines = existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8').trimEnd().split('\n') : []
    const last = lines.slice(-20).map((line) => `\n    ${line.slice(0, 300)}`)
    return new LocalError('part_failed', `${this.name} ${what}; the end of ${this.logFile}:${last.join('')}`)
  }
}

export const describeExit = ({ code, signal }: Exit): string =>
  signal ? `signal ${signal}` : `status ${code ?? 'unknown'}`
