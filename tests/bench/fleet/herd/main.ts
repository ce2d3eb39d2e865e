/** A process with some hundred simulated edges, controlled by the benchmark that started it. */
import type { NatsConnection } from '@nats-io/transport-node'
import { connectNats } from '../../../support/simulated-edge.ts'
import { HerdEdge } from './edge.ts'
import type { HerdReply, HerdRequest, Numbered } from './messages.ts'

/** Limit of concurrent connects, and of reports in flight. */
const joiningMax = 10
const reportingMax = 400
const connectAttempts = 5

let edges: HerdEdge[] = []

process.on('message', ({ number, request }: Numbered) => {
  carryOut(request).then(
    () => reply({ number }),
    (error: unknown) => reply({ number, trouble: error instanceof Error ? error.message : String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))

const reply = (said: HerdReply): void => void process.send?.(said)

async function carryOut(request: HerdRequest): Promise<void> {
  switch (request.kind) {
    case 'join':
      return await eachOf(
        groupsOf(request.edges, request.pattern.edgesPerConnection),
        joiningMax,
        async (group) => {
          const nats = await connected(request)
          for (const address of group) edges.push(await HerdEdge.join(address, nats, request.pattern))
        },
      )
    case 'die':
      for (const edge of edges) edge.dead ||= request.ids.includes(edge.address.edge)
      return
    case 'revive':
      for (const edge of edges) edge.dead = false
      return
    case 'report': {
      const turns = Array.from({ length: request.each }, () => edges).flat()
      return await eachOf(turns, reportingMax, async (edge) => await edge.report(request.to))
    }
    case 'leave':
      await Promise.all(edges.map(async (edge) => await edge.leave()))
      edges = []
  }
}

function groupsOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}

/** Retries: on a busy machine a connection can exceed the time limit of the server. */
async function connected(nats: Parameters<typeof connectNats>[0]): Promise<NatsConnection> {
  for (let attempt = 1; ; attempt++)
    try {
      return await connectNats(nats)
    } catch (error) {
      if (attempt === connectAttempts) throw error
    }
}

/** Runs them in order, `together` at a time. */
async function eachOf<T>(
  items: readonly T[],
  together: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values()
  const worker = async () => {
    for (const item of rest) await work(item)
  }
  await Promise.all(Array.from({ length: together }, worker))
}
