/** The last desired state that this edge has applied, on disk: what it starts from when the fleet is out of reach. */
import type { Log } from '@imapfleet/observe'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decode, desiredSchema, encode, type Desired } from '@imapfleet/protocol'

export class LastGood {
  readonly #directory: string
  readonly #log: Log

  constructor(stateDir: string, log: Log) {
    this.#directory = stateDir
    this.#log = log
  }

  read(): Desired | undefined {
    let bytes: Buffer
    try {
      bytes = readFileSync(this.#file)
    } catch {
      return undefined
    }
    const decoded = decode(desiredSchema, bytes)
    if (decoded.ok) return decoded.value
    this.#log.warn('last_good_unreadable', { file: this.#file, reason: decoded.reason })
    return undefined
  }

  /** A full or read-only disk is told and does not stop the edge. */
  write(desired: Desired): void {
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
      writeFileSync(`${this.#file}.new`, encode(desired), { mode: 0o600 })
      renameSync(`${this.#file}.new`, this.#file)
    } catch (error) {
      this.#log.warn('last_good_unwritten', { reason: (error as Error).message })
    }
  }

  get #file(): string {
    return join(this.#directory, 'desired.json')
  }
}
