/**
 * Listening sockets that the previous process of this edge has passed to this one as open files. Both processes accept from
 * the same queue of the kernel, so no client is refused during the handover
 * (docs/adr/0032-sockets-are-handed-over.md).
 */
import { closeSync } from 'node:fs'

/** The variable that names the open files in the environment of the new process. */
const variable = 'IMAPFLEET_SOCKETS'

export interface ListeningSocket {
  /** As configured. */
  address: string
  port: number
  /** The number of the open file. */
  file: number
}

/** The environment of a process that inherits these sockets. */
export const inheritanceOf = (sockets: readonly ListeningSocket[]): NodeJS.ProcessEnv => ({
  [variable]: sockets.map(({ address, port, file }) => `${file}=${address}/${port}`).join(','),
})

export class InheritedSockets {
  readonly #files: Map<string, number>

  constructor(sockets: readonly ListeningSocket[]) {
    this.#files = new Map(sockets.map((socket) => [keyOf(socket), socket.file]))
  }

  /** The sockets in the environment. The variable is removed, so that other child processes do not use it. */
  static fromEnvironment(): InheritedSockets {
    const text = process.env[variable] ?? ''
    delete process.env[variable]
    return new InheritedSockets(
      [...text.matchAll(/(\d+)=([^/,]+)\/(\d+)/g)].map(([, file, address = '', port]) => ({
        address,
        port: Number(port),
        file: Number(file),
      })),
    )
  }

  get isEmpty(): boolean {
    return this.#files.size === 0
  }

  /** The open file of the socket with this address, which the caller now owns. Undefined: there is none. */
  take(place: Pick<ListeningSocket, 'address' | 'port'>): number | undefined {
    const file = this.#files.get(keyOf(place))
    this.#files.delete(keyOf(place))
    return file
  }

  /** Closes the sockets that are no longer configured. */
  closeRest(): void {
    for (const file of this.#files.values()) {
      try {
        closeSync(file)
      } catch {
        // The file was not open.
      }
    }
    this.#files.clear()
  }
}

const keyOf = ({ address, port }: Pick<ListeningSocket, 'address' | 'port'>): string => `${address}/${port}`
