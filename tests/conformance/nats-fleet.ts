/** A nats-server with the desired state of one edge, for scenarios of revocation. */
import { chmod } from 'node:fs/promises'
import { findNatsServer, freePort, removeTemporaryDirectory, temporaryDirectory } from '@imapfleet/local'
import { buckets, desiredKey, encode, subjects, wireVersion, type Revocation } from '@imapfleet/protocol'
import { Kvm } from '@nats-io/kv'
import { connect } from '@nats-io/transport-node'
import { eventually, listening, startChild } from './child.ts'
import type { ProxyProcess } from './proxy-process.ts'
import { Mismatch } from './wire.ts'

export interface NatsFleet {
  url: string
  /** Waits until the edge has joined. It closes what it has opened before, because it cannot know what it missed. */
  joined(proxy: ProxyProcess): Promise<void>
  /** Revokes a user at this edge, and waits until the edge logs it. */
  revoke(proxy: ProxyProcess, user: string): Promise<void>
  stop(): Promise<void>
}

export async function startFleet(address: { region: string; edge: string }): Promise<NatsFleet> {
  const directory = temporaryDirectory('nats')
  await chmod(directory, 0o777)
  const port = await freePort()
  const args = ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', directory]
  const server = startChild(await findNatsServer(), args)
  await listening(server, port)
  const url = `nats://127.0.0.1:${port}`
  const connection = await connect({ servers: url })
  const bucket = await new Kvm(connection).create(buckets.desired)
  const revocations: Revocation[] = []
  const publish = async () => {
    const version = revocations.length + 1
    const config = { revision: 0, layer: {} }
    const desired = { v: wireVersion, version, config, traces: [], revocations, drain: false }
    await bucket.put(desiredKey(address), encode(desired))
    connection.publish(subjects.desiredChanged, encode({ v: wireVersion, version }))
    await connection.flush()
  }
  await publish()
  return {
    url,
    joined: async (proxy) => {
      if (!(await eventually(() => proxy.log().includes('evidence_missed'), 6000)))
        throw new Mismatch('the edge did not join the fleet')
    },
    revoke: async (proxy, user) => {
      revocations.push({ sequence: revocations.length + 1, kind: 'user', subject: user, at: Date.now() })
      await publish()
      const told = () =>
        proxy
          .log()
          .split('\n')
          .some((line) => /\brevoked\b/.test(line) && line.includes(user))
      if (!(await eventually(told, 6000)))
        throw new Mismatch(`the edge did not apply the revocation of ${user}`)
    },
    stop: async () => {
      await connection.close()
      await server.stop()
      await removeTemporaryDirectory(directory)
    },
  }
}
