/** Several servers in DATABASE_URL. The choice between a primary and a real standby is tested in tests/chaos. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { after, before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { databaseAddress, type DatabaseAddress } from './address.ts'
import { openDatabase, type Database } from './database.ts'
import { testDatabase } from './postgres.test-support.ts'
import { troubleOf } from './trouble.ts'

suite('several servers', () => {
  let real: Database
  before(async () => (real = await testDatabase()))
  after(() => real?.close())

  /** A port where nothing listens. */
  const closedPort = async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    return port
  }
  const withHosts = (hosts: string): DatabaseAddress => {
    const url = new URL(real.address.url)
    return databaseAddress(real.address.url.replace(url.host, hosts), undefined)
  }

  test('the first one that is a primary is used, whatever their order', async (t) => {
    const { host } = new URL(real.address.url)
    for (const hosts of [
      `127.0.0.1:${await closedPort()},${host}`,
      `${host},127.0.0.1:${await closedPort()}`,
    ]) {
      const db = openDatabase(withHosts(hosts))
      t.after(() => db.close())
      const [row] = await db.sql<{ number: number }[]>`select 1 as number`
      assert.equal(row?.number, 1)
    }
  })

  test('a server is reached by its IPv6 address, alone and among others', async (t) => {
    const { hostname, port } = new URL(real.address.url)
    const relay = createServer((client) => {
      const server = connect(Number(port), hostname)
      for (const socket of [client, server])
        socket.on('error', () => {
          client.destroy()
          server.destroy()
        })
      client.pipe(server).pipe(client)
    }).listen(0, '::1')
    t.after(() => relay.close())
    await once(relay, 'listening')
    const address = `[::1]:${(relay.address() as AddressInfo).port}`
    for (const hosts of [address, `127.0.0.1:${await closedPort()},${address}`]) {
      const db = openDatabase(withHosts(hosts))
      t.after(() => db.close())
      const [row] = await db.sql<{ number: number }[]>`select 1 as number`
      assert.equal(row?.number, 1)
    }
  })

  test('a server behind a proxy that closes each connection at once is asked once for each connection', async (t) => {
    let asked = 0
    const proxy = createServer((client) => void (asked++, client.end())).listen(0, '127.0.0.1')
    t.after(() => proxy.close())
    await once(proxy, 'listening')
    const { host } = new URL(real.address.url)
    const db = openDatabase(withHosts(`127.0.0.1:${(proxy.address() as AddressInfo).port},${host}`))
    t.after(() => db.close())
    const [row] = await db.sql<{ number: number }[]>`select 1 as number`
    assert.equal(row?.number, 1)
    await sleep(500)
    assert.equal(asked, 1)
  })

  test('while none can be reached, statements fail at once', async (t) => {
    const db = openDatabase(withHosts(`127.0.0.1:${await closedPort()},127.0.0.1:${await closedPort()}`))
    t.after(() => db.close())
    for (let again = 0; again < 2; again++) {
      const failure: unknown = await db.sql`select 1`.then(
        () => undefined,
        (error: unknown) => error,
      )
      assert.equal(troubleOf(failure), 'away')
    }
  })
})
