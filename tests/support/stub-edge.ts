/** Edges of single tests in front of a stub server, where the password of every user is `secret`. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Layer } from '@imapfleet/config'
import { freePort } from '@imapfleet/local'
import { LoneEdge } from './lone-edge.ts'
import type { MailSocket } from './mail-socket.ts'
import { StubImapd } from './stub-imapd.ts'

const users = ['alice', 'bob', 'carol']

export async function listeningStub(names = users): Promise<StubImapd> {
  const stub = new StubImapd(await freePort())
  for (const name of names) stub.account(name, 'secret')
  await stub.listen()
  return stub
}

/** An edge that stops when the test ends. */
export async function edgeFor(t: TestContext, upstreamPort: number, config: Layer = {}): Promise<LoneEdge> {
  const edge = await LoneEdge.start(upstreamPort, config)
  t.after(() => edge.stop())
  return edge
}

export async function entered(edge: LoneEdge, user = 'alice'): Promise<MailSocket> {
  const client = await edge.client()
  const { status, text } = await client.command(`LOGIN ${user} secret`)
  assert.equal(status, 'OK', text)
  return client
}

/** Whether a session still reaches its server. */
export const isServed = async (client: MailSocket) =>
  (await client.command('STATUS INBOX (MESSAGES)')).untagged.join().includes('MESSAGES 3')
