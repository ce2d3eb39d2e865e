/**
 * The state directory, with files for the next run of this edge. Files are replaced atomically. Files that cannot be written now,
 * because the disk is full or read-only, are written as soon as possible.
 */
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { reasonOf, type Log } from '@imapfleet/observe'
import { makeDirectory } from '../edge/make-directory.ts'

/** Large enough to detect a full disk, on which a file of a few bytes may still be written. */
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

  /** The problem for operators while the directory cannot be written. Undefined: it can be. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** A new process of this edge uses the directory. This one no longer writes to it. */
  leave(): void {
    this.#isLeft = true
    this.#waiting.clear()
  }

  /** Never throws. If the file cannot be written now, `check` writes it later. */
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

/** The name of this file for a process that was replaced by a new one. `boot` is different for each process. */
export const leftFile = (file: string, boot: string): string => `${file}${left}${boot}`

/** This file, and the files of processes that were replaced. They may not exist. */
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
    // On a full disk, an incomplete file would use the space for the next attempt.
    try {
      rmSync(next, { force: true })
    } catch {
      // The first error is more useful.
    }
    throw error
  }
}
