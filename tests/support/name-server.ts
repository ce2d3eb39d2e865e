/**
 * A name server on loopback that answers queries for IPv4 addresses, or is silent. `runner` makes a program use it instead of
 * the system's, in a namespace with another /etc/resolv.conf. Needs root, for its port.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'

const address = '127.53.7.1'
const namespace = ['unshare', '--user', '--map-current-user', '--keep-caps', '--mount'] as const

export class NameServer {
  /** False: it receives queries and sends nothing. */
  answers = true
  /** The names of all queries, one for each IPv4 query. */
  readonly queries: string[] = []
  readonly #socket: Socket
  readonly #records: Readonly<Record<string, string>>

  private constructor(socket: Socket, records: Readonly<Record<string, string>>) {
    this.#socket = socket
    this.#records = records
    socket.on('message', (query, from) => this.#onQuery(query, from))
  }

  /** Why it cannot run here; undefined if it can. */
  static get obstacle(): string | undefined {
    if (process.getuid?.() !== 0) return 'only root can bind port 53'
    const [command, ...flags] = namespace
    const tried = spawnSync(command, [...flags, 'true'])
    return tried.status === 0 ? undefined : 'this machine has no user and mount namespaces'
  }

  /** @param records IPv4 addresses by name */
  static async listen(records: Readonly<Record<string, string>>): Promise<NameServer> {
    const socket = createSocket('udp4')
    socket.bind(53, address)
    await once(socket, 'listening')
    return new NameServer(socket, records)
  }

  /** @param directory for the resolv.conf */
  async runner(directory: string): Promise<string[]> {
    const file = `${directory}/resolv.conf`
    await writeFile(file, `nameserver ${address}\n`)
    const script = 'mount --bind "$0" "$(readlink -f /etc/resolv.conf)" && exec "$@"'
    return [...namespace, 'sh', '-c', script, file]
  }

  async close(): Promise<void> {
    this.#socket.close()
    await once(this.#socket, 'close')
  }

  #onQuery(query: Buffer, from: RemoteInfo): void {
    const labels: string[] = []
    let at = 12
    for (let length = query[at]!; length > 0; length = query[at]!) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length))
      at += length + 1
    }
    const name = labels.join('.')
    const isIpv4 = query.readUInt16BE(at + 1) === 1
    if (isIpv4) this.queries.push(name)
    if (!this.answers) return
    const found = this.#records[name]
    this.#socket.send(
      answerTo(query, at + 5, isIpv4 ? found : undefined, found !== undefined),
      from.port,
      from.address,
    )
  }
}

/** RFC 1035 4.1: the header and the question of the query, and at most one A record with a TTL of 0. */
function answerTo(query: Buffer, questionEnd: number, ipv4: string | undefined, exists: boolean): Buffer {
  const head = Buffer.from(query.subarray(0, questionEnd))
  head.writeUInt16BE(exists ? 0x8180 : 0x8183, 2)
  head.writeUInt16BE(ipv4 === undefined ? 0 : 1, 6)
  head.writeUInt32BE(0, 8)
  if (ipv4 === undefined) return head
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...ipv4.split('.').map(Number)])
  return Buffer.concat([head, record])
}
