/** The events of a simulated world: a hash of all events, and the last events as text. */

interface Entry {
  at: number
  what: string
  bytes: Buffer | undefined
}

const keptMax = 20_000
const shownBytesMax = 160

export class EventLog {
  readonly #now: () => number
  readonly #entries: Entry[] = []
  #from = 0
  #hash = 0x811c9dc5
  #other = 0x9747b28c

  constructor(now: () => number) {
    this.#now = now
  }

  /** The hash of all events so far. It is equal for two runs with the same seed. */
  get hash(): string {
    return [this.#hash, this.#other].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('')
  }

  /** @param bytes must not be changed later */
  add(what: string, bytes?: Buffer): void {
    const entry = { at: this.#now(), what, bytes }
    this.#mix(`${entry.at} ${what}`)
    if (bytes) for (const byte of bytes) this.#mixByte(byte)
    if (this.#entries.length < keptMax) this.#entries.push(entry)
    else {
      this.#entries[this.#from] = entry
      this.#from = (this.#from + 1) % keptMax
    }
  }

  /** The last events, one a line. */
  last(count: number): string[] {
    const entries = [...this.#entries.slice(this.#from), ...this.#entries.slice(0, this.#from)]
    return entries.slice(-count).map(({ at, what, bytes }) => {
      const time = (at / 1000 - 1000).toFixed(4).padStart(9)
      return `${time} ${what}${bytes ? ` ${shown(bytes)}` : ''}`
    })
  }

  #mix(text: string): void {
    for (let at = 0; at < text.length; at++) this.#mixByte(text.charCodeAt(at))
  }

  #mixByte(byte: number): void {
    this.#hash = Math.imul(this.#hash ^ byte, 0x01000193)
    this.#other = Math.imul(this.#other ^ byte, 0x5bd1e995) ^ (this.#other >>> 13)
  }
}

function shown(bytes: Buffer): string {
  const text = JSON.stringify(bytes.toString('latin1', 0, shownBytesMax))
  return bytes.length > shownBytesMax ? `${text}… (${bytes.length} bytes)` : text
}
