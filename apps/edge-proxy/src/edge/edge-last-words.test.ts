/** The end of a session on a whole edge, plain and over TLS: no text of the edge appears within mail. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { testCertificate, testKey } from '@imapfleet/local/test-certificate'
import { Peer } from '../net/wire.test-support.ts'
import { untilTrue } from '../pool/pool.test-support.ts'
import { wellBehaved } from '../server/scripted-server.test-support.ts'
import { edgeAtWork, unusedPort } from './edge.test-support.ts'

const directory = temporaryDirectory('last-words')
const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
writeFileSync(certFile, testCertificate)
writeFileSync(keyFile, testKey)

const half = `* 1 FETCH (BODY[] {400000}\r\n${'x'.repeat(200_000)}`

test('within a response, the client’s connection is closed without BYE, whatever ends the session', async () => {
  const port = await unusedPort()
  const imaps = { address: '127.0.0.1', port, tls: 'implicit', certFile, keyFile }
  const { edge, scripted } = await edgeAtWork({ listeners: { imaps }, pool: { resetTimeoutMs: 100 } })
  scripted.script = (asked) => {
    if (!asked.text.startsWith('FETCH')) return wellBehaved(asked)
    asked.peer.socket.write(half)
    return undefined
  }
  const plainPort = edge.context.settings.current.listeners['imap']!.port
  const ends: Record<string, () => void> = {
    'the server resets': () => scripted.connections.at(-1)!.socket.resetAndDestroy(),
    'the server closes': () => scripted.connections.at(-1)!.socket.end(),
    'the user is kicked': () => edge.context.sessions.endAll('kicked', 'joe'),
    'the session is idle': () => edge.context.sessions.sweep(Date.now() + 10_000, 5000),
    'the edge stops': () => edge.context.sessions.endAll('shutdown'),
  }
  for (const overTls of [false, true])
    for (const isFinishing of [false, true])
      for (const isReading of [true, false])
        for (const [what, end] of Object.entries(ends)) {
          const address = { host: '127.0.0.1', allowHalfOpen: true }
          const socket = overTls
            ? connectTls({ ...address, port, ca: testCertificate, servername: 'localhost' })
            : connect({ ...address, port: plainPort })
          const peer = new Peer(socket)
          await peer.until('ready\r\n')
          peer.say('a LOGIN joe secret\r\n')
          await peer.until('a OK ')
          await peer.until('\r\n')
          const asked = scripted.asked.length
          peer.say('f FETCH 1 BODY[]\r\nz LOGOUT\r\n')
          if (isFinishing) socket.end()
          if (!isReading) socket.pause()
          await untilTrue(() => scripted.asked.length > asked && edge.context.sessions.active.size === 1)
          if (isReading) await untilTrue(() => peer.unread.length === half.length)
          else await untilTrue(() => [...edge.context.sessions.active][0]!.splice.positions().S.continues)
          end()
          socket.resume()
          const told = await peer.finished()
          assert.ok(half.startsWith(told), `${what}: ${JSON.stringify(told.slice(-100))}`)
          if (isReading) assert.equal(told.length, half.length, what)
          socket.destroy()
          await untilTrue(() => edge.context.sessions.active.size === 0)
        }
})
