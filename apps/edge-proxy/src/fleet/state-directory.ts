/**
 * The state directory: what this edge keeps for its next run. Files are replaced atomically. What cannot be written now,
 * because the disk is full or read-only, is written as soon as it can be.
 */
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { reasonOf, type Log } from '@imapfleet/observe'
import { makeDirectory } from '../edge/make-directory.ts'

/** A full disk may still take a file of a few bytes. */
const probe = new Uint8Array(4_096)

export class StateDirectory {
  readonly path: string
  readonly #log: Log
  /** File name → content that could not be written. */
  readonly #waiting = new Map<string, Uint8Array>()
  #problem: string | undefined
  #isLeft = false

  constructor(path: string, log: Log) {
    this.path = path
    this.#log = log
  }

  /** What an operator must know while the directory cannot be written. Undefined if it can be. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Another process of this edge uses it from now on. */
  leave(): void {
    this.#isLeft = true
    this.#waiting.clear()
  }

  /** Never throws. If it cannot be written now, `check` writes it later. */
  save(name: string, content: Uint8Array): void {
    if (this.#isLeft) return
    this.#waiting.set(name, content)
    this.#note(() => this.#writeWaiting())
  }

  /** Call it at the start and at intervals: detects a directory that cannot be written before it is needed. */
  check(): void {
    if (this.#isLeft) return
    this.#note(() => {
      this.#writeWaiting()
      const file = join(this.path, 'probe')
      replaceStateFile(file, probe)
      rmSync(file)
    })
  }

  #writeWaiting(): void {
    for (const [name, content] of this.#waiting) {
      replaceStateFile(join(this.path, name), content)
      this.#waiting.delete(name)
    }
  }

  #note(write: () => void): void {
    const before = this.#problem
    try {
      write()
      this.#problem = undefined
      if (before !== undefined) this.#log.info('state_written', { directory: this.path })
    } catch (error) {
      this.#problem =
        `it cannot write its state directory ${this.path} (${reasonOf(error)}): ` +
        'configuration and revocations of the fleet are lost at its next restart'
      if (this.#problem !== before) this.#log.error('state_unwritten', { reason: this.#problem })
    }
  }
}

const left = '.left-'

/** The name of this file for a process that another one has replaced. `boot` is different for each. */
export const leftFile = (file: string, boot: string): string => `${file}${left}${boot}`

/** This file, and those of processes that were replaced. They may not exist. */
export function withLeftFiles(file: string): string[] {
  try {
    const names = readdirSync(dirname(file)).filter((name) => name.startsWith(basename(file) + left))
    return [...names.map((name) => join(dirname(file), name)), file]
  } catch {
    return [file]
  }
}

/** After a crash, the file has either the old content or the new one. Throws if the write fails. */
export function replaceStateFile(file: string, content: string | Uint8Array): void {
  makeDirectory(dirname(file), 0o700)
  const next = `${file}.new`
  try {
    writeFileSync(next, content, { mode: 0o600 })
    renameSync(next, file)
  } catch (error) {
    // Half a file on a full disk would take the space of the next attempt.
    try {
      rmSync(next, { force: true })
    } catch {
      // The first error says more.
    }
    throw error
  }
}
