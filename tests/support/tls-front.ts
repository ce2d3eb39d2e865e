/** Terminates TLS in front of a server without TLS, and records each handshake. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import type { Certificate } from './certs.ts'

/** What a client sent in its handshake. */
export interface Handshake {
  /** SNI; false if there was none. */
  servername: string | false | null
  /** Common name of the client's certificate. */
  commonName: string | undefined
  /** Whether it resumed an earlier session. */
  resumed: boolean
}

export class TlsFront {
  readonly port: number
  readonly handshakes: Handshake[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  /** @param clientCa if given, clients need a certificate that this authority signed */
  constructor(port: number, behind: number, { certFile, keyFile }: Certificate, clientCa?: string) {
    this.port = port
    const own = { cert: readFileSync(certFile), key: readFileSync(keyFile) }
    const asked = clientCa === undefined ? {} : { requestCert: true, rejectUnauthorized: true, ca: clientCa }
    this.#server = createServer({ ...own, ...asked }, (near) =>
      this.#pass(near, connect(behind, '127.0.0.1')),
    )
    this.#server.on('tlsClientError', () => {})
  }

  async listen(): Promise<void> {
    this.#server.listen(this.port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #pass(near: TLSSocket, far: Socket): void {
    const commonName = near.getPeerCertificate().subject?.CN
    this.handshakes.push({
      servername: near.servername,
      commonName: Array.isArray(commonName) ? commonName[0] : commonName,
      resumed: near.isSessionReused(),
    })
    for (const socket of [near, far]) {
      this.#sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => [near, far].forEach((each) => each.destroy()))
    }
    near.pipe(far).pipe(near)
  }
}
