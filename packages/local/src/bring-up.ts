/** Starts parts, reports their progress, and stops them in the reverse order of their dependencies. */
import { keepRunning } from './keep-running.ts'
import { LocalError } from './local-error.ts'
import type { LocalProcess } from './process.ts'

/** `part` is `nats-server`, `postgres`, `dovecot`, `control`, or the id of an edge. */
export type PartProgress = { part: string } & (
  | { state: 'starting'; note: string }
  | ({ state: 'ready' } & Description)
  /** It exited unexpectedly and is restarted. */
  | { state: 'trouble'; line: string }
)

export interface Description {
  version: string
  place: string
}

/** Stopped in this order: a part before the parts that it needs. */
const layers = ['edges', 'control', 'services'] as const

export class BringUp {
  readonly #running: Record<(typeof layers)[number], LocalProcess[]> = {
    edges: [],
    control: [],
    services: [],
  }
  readonly #beginnings: Promise<unknown>[] = []
  readonly #life = new AbortController()
  readonly #say: (progress: PartProgress) => void
  readonly #heal: boolean

  constructor(say: (progress: PartProgress) => void, heal: boolean, signal: AbortSignal | undefined) {
    this.#say = say
    this.#heal = heal
    if (signal?.aborted) this.#life.abort()
    signal?.addEventListener('abort', () => this.#life.abort(), { once: true })
  }

  /** Aborted when everything must end. */
  get signal(): AbortSignal {
    return this.#life.signal
  }

  /** Resolves when the part is ready. A part without a process is an external service. */
  begin<T extends { process: LocalProcess | undefined }>(
    part: string,
    layer: (typeof layers)[number],
    prepare: (note: (text: string) => void) => Promise<T>,
    describe: (made: T) => Description,
  ): Promise<T> {
    const beginning = this.#begin(part, layer, prepare, describe)
    this.#beginnings.push(beginning)
    return beginning
  }

  async #begin<T extends { process: LocalProcess | undefined }>(
    part: string,
    layer: (typeof layers)[number],
    prepare: (note: (text: string) => void) => Promise<T>,
    describe: (made: T) => Description,
  ): Promise<T> {
    const note = (text: string) => this.#say({ part, state: 'starting', note: text })
    note('')
    const made = await prepare(note)
    if (this.signal.aborted) throw new LocalError('aborted', 'the start was interrupted')
    if (made.process) {
      this.#running[layer].push(made.process)
      await made.process.start(this.signal)
      const trouble = (line: string) => this.#say({ part, state: 'trouble', line })
      const back = () => this.#say({ part, state: 'ready', ...describe(made) })
      if (this.#heal) void keepRunning(made.process, trouble, back, this.signal)
    }
    this.#say({ part, state: 'ready', ...describe(made) })
    return made
  }

  /** Aborts starts in progress, and stops what runs. */
  async stop(): Promise<void> {
    this.#life.abort()
    await Promise.allSettled(this.#beginnings)
    for (const layer of layers) await Promise.all(this.#running[layer].map((part) => part.stop()))
  }
}
