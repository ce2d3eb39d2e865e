/** One client, from accept to goodbye. Every other file of the edge serves these lines. */
import type { Client } from '../client/client.ts'
import { nextLogin, type Login, type Prelogin } from '../client/prelogin.ts'
import type { Leased, Refused } from '../pool/lease.ts'
import type { HandBack, Ending } from '../splice/ending.ts'

/** What a session needs from the edge. */
export interface SessionEdge {
  readonly prelogin: Prelogin
  greet(client: Client): void
  lease(client: Client, login: Login): Leased | Promise<Leased | Refused>
  refuse(client: Client, login: Login, refused: Refused): Promise<void>
  welcome(client: Client, login: Login, leased: Leased): void
  splice(client: Client, leased: Leased): Promise<{ ending: Ending; handBack: HandBack }>
  sayGoodbye(client: Client, ending: Ending): void
  giveBack(leased: Leased, handBack: HandBack): Promise<void>
}

export async function runSession(client: Client, edge: SessionEdge): Promise<void> {
  edge.greet(client)
  for (;;) {
    const login = await nextLogin(client, edge.prelogin) // answers all that may precede a login
    if (login === undefined) return

    const lease = await edge.lease(client, login) // this user's warm upstream, or a fresh one
    if (lease.kind === 'refused') {
      await edge.refuse(client, login, lease) // the server's own NO, or ours
      continue
    }
    edge.welcome(client, login, lease)
    const { ending, handBack } = await edge.splice(client, lease) // until LOGOUT, or until someone is gone
    edge.sayGoodbye(client, ending) // the client does not wait for the reset
    await edge.giveBack(lease, handBack) // proven clean and kept, or dropped
    return
  }
}
