/** Finds the process that listens on an address, in /proc. Only root can see processes of other users. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { SocketAddress } from 'node:net'
import { basename, resolve } from 'node:path'

interface Place {
  address: string
  port: number
}

export interface PortOwner {
  pid: string
  args: string[]
  /** The working directory, to which relative arguments refer. */
  directory: string
}

/** Undefined: there is no such process, or it cannot be seen. */
export function portOwner(place: Place): PortOwner | undefined {
  const sockets = new Set(socketsAt(place).map((inode) => `socket:[${inode}]`))
  if (sockets.size === 0) return undefined
  for (const pid of processes())
    try {
      const files = `/proc/${pid}/fd`
      if (readdirSync(files).some((file) => sockets.has(linkOf(`${files}/${file}`))))
        return {
          pid,
          args: readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1),
          directory: readlinkSync(`/proc/${pid}/cwd`),
        }
    } catch {
      // The process has ended, or belongs to another user.
    }
  return undefined
}

/** Whether the process is an edge that was started with this file. `edge.id` in the file may have changed since. */
export function isEdgeWith({ args, directory }: PortOwner, configFile: string): boolean {
  const files = args.map((arg) => resolve(directory, arg.replace(/^(?:--config=|-f(?=.))/, '')))
  return [process.argv[1] ?? '', configFile].every((file) => files.includes(resolve(file)))
}

export const nameOf = ({ pid, args: [program = ''] }: PortOwner): string =>
  `${basename(program)} (process ${pid})`

const processes = (): string[] => {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
}

/** The target of a link. Empty: the file was closed in the meantime. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

/** Inodes of the sockets that listen on this port, on this address or on all addresses. */
function socketsAt({ address, port }: Place): string[] {
  const all = ['0.0.0.0', '::']
  const wanted = printed(address)
  return listening()
    .filter((row) => row.port === port)
    .filter(({ address: at }) => at === wanted || all.includes(at) || all.includes(wanted))
    .map(({ inode }) => inode)
}

function listening(): (Place & { inode: string })[] {
  return ['tcp', 'tcp6'].flatMap((table) => {
    let text
    try {
      text = readFileSync(`/proc/net/${table}`, 'latin1')
    } catch {
      return []
    }
    return text.split('\n').flatMap((line) => {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/)
      const [, address = '', port = ''] = /^([0-9A-F]+):([0-9A-F]{4})$/.exec(local) ?? []
      return state === '0A' ? [{ address: addressIn(address), port: parseInt(port, 16), inode }] : []
    })
  })
}

/** `0100007F` is 127.0.0.1: words of four bytes in little-endian order. */
function addressIn(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, 'hex')].toReversed())
  if (bytes.length === 4) return bytes.join('.')
  return printed((Buffer.from(bytes).toString('hex').match(/.{4}/g) ?? []).join(':'))
}

/** An address in canonical form. */
const printed = (address: string): string =>
  new SocketAddress({ address, family: address.includes(':') ? 'ipv6' : 'ipv4' }).address
