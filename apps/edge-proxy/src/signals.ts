/** The signals of this process. This file imports nothing, so that signals are handled while the rest of the edge is loaded. */

export class Signals {
  readonly #stop = new AbortController()
  readonly #hurry = new AbortController()
  #reload: (() => void) | undefined
  #reloadIsDue = false
  #handoverIsDue = false
  #wakeForHandover: (() => void) | undefined
  #reopenLogs: (() => void) | undefined

  constructor() {
    const stop = () => (this.#stop.signal.aborted ? this.#hurry : this.#stop).abort()
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
    process.on('SIGHUP', () => {
      this.#reloadIsDue = true
      this.#reloadIfDue()
    })
    process.on('SIGUSR2', () => this.requestHandover())
    // Without a listener, Node opens the port of its debugger.
    process.on('SIGUSR1', () => this.#reopenLogs?.())
  }

  /** Aborted by the first SIGTERM or SIGINT. */
  get stop(): AbortSignal {
    return this.#stop.signal
  }

  /** Aborted by the second SIGTERM or SIGINT: all waits must end immediately. */
  get hurry(): AbortSignal {
    return this.#hurry.signal
  }

  /** Sets the function that SIGHUP calls, unless the edge stops. If a SIGHUP came earlier, calls it now. */
  onReload(reload: () => void): void {
    this.#reload = reload
    this.#reloadIfDue()
  }

  /** Sets the function that SIGUSR1 calls. An earlier SIGUSR1 has no effect, because the files were opened after it. */
  onLogsMoved(reopen: () => void): void {
    this.#reopenLogs = reopen
  }

  #reloadIfDue(): void {
    if (!this.#reloadIsDue || this.#stop.signal.aborted || !this.#reload) return
    this.#reloadIsDue = false
    this.#reload()
  }

  /** Requests a handover, like SIGUSR2. */
  requestHandover(): void {
    this.#handoverIsDue = true
    this.#wakeForHandover?.()
  }

  /** Settles when the edge has to stop, or when another process should take over. */
  async nextEnd(): Promise<'stop' | 'handover'> {
    const { signal } = this.#stop
    if (!signal.aborted && !this.#handoverIsDue)
      await new Promise<void>((resolve) => {
        this.#wakeForHandover = resolve
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    this.#wakeForHandover = undefined
    if (signal.aborted) return 'stop'
    this.#handoverIsDue = false
    return 'handover'
  }
}
