/** The checks of NATS: connect, JetStream, and as many copies of a stream as NATS_REPLICAS wants. */
import { connectOnce, isLoginRefusal } from '@imapfleet/nats'
import { findingsAbout, reasonOf, type CheckFinding } from '@imapfleet/observe'
import { streams } from '@imapfleet/protocol'
import { jetstreamManager, StorageType, type JetStreamManager } from '@nats-io/jetstream'
import type { BusOptions } from './bus.ts'

const trialStream = 'IMAPFLEET_DOCTOR'
const credentialRemedy =
  'check NATS_CREDENTIALS_FILE or NATS_TOKEN_FILE, and that nats-server includes accounts.conf'

export async function checkNats({ access, limits }: BusOptions): Promise<CheckFinding[]> {
  const { ok, fail } = findingsAbout('nats')
  let nats
  try {
    nats = await connectOnce(access, 'imapfleet-control doctor')
  } catch (error) {
    const remedy = isLoginRefusal(error)
      ? credentialRemedy
      : 'start nats-server, or check NATS_URL and NATS_TLS_CA_FILE'
    return [fail(`cannot connect to ${access.servers.join(', ')}: ${reasonOf(error)}`, remedy)]
  }
  try {
    const connected = ok(`connected to ${nats.getServer()}, nats-server ${nats.info?.version ?? 'unknown'}`)
    const manager = await jetstreamManager(nats, { checkAPI: false })
    try {
      await manager.getAccountInfo()
    } catch (error) {
      const remedy =
        'add a jetstream section to the configuration of nats-server, as infra/nats/nats-server.conf has'
      return [connected, fail(`JetStream cannot be used: ${reasonOf(error)}`, remedy)]
    }
    return [connected, ok('JetStream is enabled'), ...(await checkReplicas(manager, limits.replicas))]
  } finally {
    await nats.close()
  }
}

/** Makes a small stream in memory with so many copies, and deletes it. */
async function checkReplicas(manager: JetStreamManager, replicas: number): Promise<CheckFinding[]> {
  const { ok, warn, fail } = findingsAbout('replicas')
  if (replicas > 1)
    try {
      await manager.streams.add({
        name: trialStream,
        subjects: ['imapfleet.doctor'],
        storage: StorageType.Memory,
        max_msgs: 1,
        num_replicas: replicas,
      })
      await manager.streams.delete(trialStream)
    } catch (error) {
      return [
        fail(
          `NATS_REPLICAS is ${replicas}, and NATS cannot keep so many copies: ${reasonOf(error)}`,
          `set NATS_REPLICAS=1, or run a cluster of ${replicas} servers (infra/nats/cluster.conf)`,
        ),
      ]
    }
  const different: string[] = []
  for (const name of Object.values(streams))
    try {
      const { config } = await manager.streams.info(name)
      if (config.num_replicas !== replicas) different.push(`${name} has ${config.num_replicas}`)
    } catch {
      // Control makes it at its start.
    }
  if (different.length === 0) return [ok(`streams have ${replicas}`)]
  return [
    warn(
      `NATS_REPLICAS is ${replicas}, and ${different.join(', ')}: streams keep what they were made with`,
      `nats stream edit NAME --replicas ${replicas}`,
    ),
  ]
}
