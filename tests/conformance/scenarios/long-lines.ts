/** Command lines and responses of any length pass after the login. */
import { expectOwn, logout, settled } from '../checks.ts'
import { expect, type Scenario } from '../scenario.ts'

/** Roundcube and Nextcloud search within the messages that they know, which they list. */
function search(kilobytes: number): Scenario {
  return {
    name: `long-search-${kilobytes}k`,
    guarantee: `a search line of ${kilobytes} KB reaches the server, and the connection is kept`,
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      const session = await world.login(user)
      await session.client.command('SELECT INBOX')
      const numbers = '1,2,3,'.repeat((kilobytes * 1000) / 6)
      for (const ending of ['SUBJECT x', `SUBJECT {1+}\r\nx`]) {
        const { status } = await session.client.command(`SEARCH ${numbers}3 ${ending}`)
        expect(status === 'OK', `SEARCH was answered ${status}`)
      }
      await expectOwn(session)
      await logout(session)
      await settled(world.proxy)
      await expectOwn(await world.login(user))
      expect(world.dials().length === 1, `the server saw ${world.dials().length} logins`)
    },
  }
}

export const longLines: Scenario[] = [
  search(100),
  search(500),
  {
    name: 'long-response',
    guarantee: 'a response line of 300 KB reaches the client whole, and nothing of it is taken for a reply',
    on: 'stub',
    run: async (world) => {
      const user = await world.user()
      const session = await world.login(user)
      const line = `* SEARCH${' 1'.repeat(150_000)} OK {5}x`
      world.stub.behave((command, connection) => {
        if (command.name !== 'SEARCH') return false
        for (let at = 0; at < line.length; at += 10_000) connection.send(line.slice(at, at + 10_000))
        connection.send(`\r\n${command.tag} OK done\r\n`)
        return true
      })
      const { untagged } = await session.client.command('SEARCH ALL')
      expect(
        untagged.length === 1 && untagged[0] === line,
        `${untagged[0]?.length} of ${line.length} bytes came`,
      )
      await expectOwn(session)
    },
  },
  {
    name: 'long-line-abandoned',
    guarantee: 'a client that disconnects inside a long line leaves nothing for the next session',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      const { client } = await world.login(user)
      client.send(`${client.tag()} SEARCH ${'1,2,3,'.repeat(30_000)}`)
      await client.kill('close')
      await settled(world.proxy)
      await expectOwn(await world.login(user))
      expect(world.dials().length === 2, 'the connection was handed on')
    },
  },
]
