/**
 * TLS from control and edges to NATS, and from control to Postgres, with an authority made for this test: the right server
 * is accepted, and any other is refused with the reason.
 */
import assert from 'node:assert/strict'
import { chmod, chown, copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, suite, test, type TestContext } from 'node:test'
import {
  edgeProxy,
  freePort,
  natsServer,
  node,
  postgresServer,
  removeTemporaryDirectory,
  programFiles,
  type Ground,
  type Nats,
  type Postgres,
} from '@imapfleet/local'
import { Authority, type Certificate } from '../support/certs.ts'
import { runCommand, startCommand } from '../support/command.ts'
import { temporaryGround } from '../support/lone-edge.ts'
import { until } from '../support/until.ts'

const main = programFiles.control

suite('TLS', () => {
  let ground: Ground
  let authority: Authority
  let other: Authority
  let database: Postgres
  before(async () => {
    ground = temporaryGround()
    ;[authority, other] = [await Authority.make(ground.directory), await Authority.make(ground.directory)]
    const { certFile, keyFile } = await authority.issue('db', 'DNS:localhost')
    const own = await ownedKey(keyFile)
    database = await postgresServer({
      ground,
      durable: false,
      settings: { ssl: 'on', ssl_cert_file: certFile, ssl_key_file: own },
    })
    await database.process?.start()
  })
  after(async () => {
    await database?.process?.stop()
    await removeTemporaryDirectory(ground.directory)
  })

  /** Postgres requires a key that only its own account can read. */
  async function ownedKey(keyFile: string): Promise<string> {
    const own = join(ground.directory, 'postgres.key')
    await copyFile(keyFile, own)
    await chmod(own, 0o600)
    if (ground.account) await chown(own, ground.account.uid, ground.account.gid)
    return own
  }

  async function ownGround(name: string): Promise<Ground> {
    const own = { ...ground, directory: join(ground.directory, name) }
    await mkdir(own.directory)
    if (ground.account) await chown(own.directory, ground.account.uid, ground.account.gid)
    return own
  }

  suite('to Postgres', () => {
    const url = (host: string, query = '') =>
      `${database.url.replace('@127.0.0.1:', `@${host}:`)}${query && `?${query}`}`
    const ask = (DATABASE_URL: string, caFile?: string) =>
      runCommand(node, [main, 'token', 'create', '--name', 'tls', '--role', 'viewer'], {
        env: { DATABASE_URL, DATABASE_CA_FILE: caFile },
      })
    test('a server with the right authority and name is accepted', async () => {
      const { caFile } = authority
      for (const [address, file] of [
        [url('localhost', 'sslmode=verify-full'), caFile],
        [url('localhost', `sslmode=verify-full&sslrootcert=${encodeURIComponent(caFile)}`), undefined],
        [url('localhost'), caFile],
        [url('127.0.0.1', 'sslmode=verify-ca'), caFile],
        [url('127.0.0.1', 'sslmode=require'), undefined],
      ] as const) {
        const said = await ask(address, file)
        assert.match(said.stdout, /^imapfleet_/, `${address}: ${said.stderr}`)
      }
    })

    test('a server with another authority, with another name or without TLS is refused, with the reason', async (t) => {
      const refused = async (address: string, file: string | undefined, reason: RegExp, status = 1) => {
        const said = await ask(address, file)
        assert.equal(said.status, status, address)
        assert.equal(said.stdout, '')
        assert.match(said.stderr, reason)
        assert.equal(said.stderr.trim().split('\n').length, 1, said.stderr)
      }
      const full = 'sslmode=verify-full'
      await refused(url('localhost', full), other.caFile, /not signed by a trusted CA: check the CA file/)
      await refused(url('localhost', full), undefined, /not signed by a trusted CA/)
      await refused(
        url('127.0.0.1', full),
        authority.caFile,
        /its certificate is for another name \(DNS:localhost\)/,
      )
      await refused(url('localhost', full), '/nowhere.pem', /DATABASE_CA_FILE: cannot read \/nowhere.pem/, 2)
      await refused(
        url('localhost', 'sslmode=sometimes'),
        undefined,
        /DATABASE_URL must have an sslmode of disable, /,
        2,
      )
      const plain = await postgresServer({ ground: await ownGround('plain'), durable: false })
      t.after(() => plain.process?.stop())
      await plain.process?.start()
      const without = plain.url.replace('@127.0.0.1:', '@localhost:')
      const noTls = /it does not support TLS, but TLS is required/
      await refused(`${without}?${full}`, authority.caFile, noTls)
      await refused(`${without}?sslmode=require`, undefined, noTls)
      assert.match((await ask(`${without}?sslmode=prefer`)).stdout, /^imapfleet_/)
    })
  })

  suite('to NATS', () => {
    interface Asked {
      caFile?: string
      client?: Certificate
    }
    let count = 0

    async function startNats(t: TestContext, names: string | undefined, verify = false): Promise<Nats> {
      count += 1
      const own = await ownGround(`nats-${count}`)
      const settings: string[] = []
      if (names !== undefined) {
        const { certFile, keyFile } = await authority.issue('nats', names)
        const client = verify ? `ca_file: "${authority.caFile}", verify: true` : ''
        settings.push(`tls { cert_file: "${certFile}", key_file: "${keyFile}", ${client} }`)
      }
      const nats = await natsServer({ ground: own, settings })
      t.after(() => nats.process?.stop())
      await nats.process?.start()
      return nats
    }

    const at = (nats: Nats, host: string, scheme = 'nats') => `${scheme}://${host}:${new URL(nats.url).port}`

    /** Why an edge cannot connect to NATS; undefined when it is connected. */
    async function edgeAt(url: string, nats: Nats, { caFile, client }: Asked): Promise<string | undefined> {
      count += 1
      const edge = await edgeProxy({
        ground,
        id: `edge-${count}`,
        region: 'lab',
        upstream: { host: '127.0.0.1', port: 1 },
        nats: { url, tokenFile: nats.tokenFile },
        config: {
          fleet: {
            ...(caFile !== undefined && { tlsCaFile: caFile }),
            ...(client && { tlsCertFile: client.certFile, tlsKeyFile: client.keyFile }),
          },
        },
      })
      await edge.process.start()
      try {
        return await settled(async () => {
          const health = (await (await fetch(`http://127.0.0.1:${edge.httpPort}/healthz`)).json()) as {
            fleet: { connected: boolean; reason?: string }
          }
          return health.fleet.connected ? 'up' : health.fleet.reason
        })
      } finally {
        await edge.process.stop()
      }
    }

    async function controlAt(
      url: string,
      nats: Nats,
      { caFile, client }: Asked,
    ): Promise<string | undefined> {
      const port = await freePort()
      const running = startCommand(node, [main, 'api', '--port', String(port)], {
        env: {
          DATABASE_URL: database.url,
          NATS_URL: url,
          NATS_TOKEN_FILE: nats.tokenFile,
          NATS_TLS_CA_FILE: caFile,
          NATS_TLS_CERT_FILE: client?.certFile,
          NATS_TLS_KEY_FILE: client?.keyFile,
        },
      })
      try {
        return await settled(async () => {
          const ready = await fetch(`http://127.0.0.1:${port}/readyz`)
          return ready.ok ? 'up' : /NATS is unavailable reason="([^"]*)"/.exec(running.stderr())?.[1]
        })
      } finally {
        running.child.kill('SIGTERM')
        await running.ended
      }
    }

    const settled = async (ask: () => Promise<string | undefined>) => {
      const said = await until('a word on NATS', async () => {
        const now = await ask()
        return now !== 'not connected yet' && now
      })
      return said === 'up' ? undefined : said
    }

    async function both(url: string, nats: Nats, asked: Asked, expected: RegExp | undefined): Promise<void> {
      const said = await Promise.all([edgeAt(url, nats, asked), controlAt(url, nats, asked)])
      for (const each of said)
        if (expected) assert.match(each ?? 'it was let in', expected)
        else assert.equal(each, undefined)
    }

    test('a server with the right authority, and the right name or address, is accepted', async (t) => {
      const [named, numbered] = [await startNats(t, 'DNS:localhost'), await startNats(t, 'IP:127.0.0.1')]
      const { caFile } = authority
      await both(at(named, 'localhost', 'tls'), named, { caFile }, undefined)
      await both(at(numbered, '127.0.0.1'), numbered, { caFile }, undefined)
    })

    test('a server with another authority or another name is refused, with the reason', async (t) => {
      const nats = await startNats(t, 'DNS:localhost')
      const untrusted = /^its certificate is not signed by a trusted CA: check the CA file$/
      await both(at(nats, 'localhost'), nats, { caFile: other.caFile }, untrusted)
      await both(at(nats, 'localhost'), nats, {}, untrusted)
      const { caFile } = authority
      await both(
        at(nats, '127.0.0.1'),
        nats,
        { caFile },
        /^its certificate is for another name \(DNS:localhost\)$/,
      )
    })

    test('if TLS is required, nothing is sent to a server without it', async (t) => {
      const nats = await startNats(t, undefined)
      const plain = /^it does not support TLS, but TLS is required$/
      await both(at(nats, 'localhost'), nats, { caFile: authority.caFile }, plain)
      await both(at(nats, 'localhost', 'tls'), nats, {}, plain)
    })

    test('a server that requires a client certificate gets it, and refuses clients without one', async (t) => {
      const nats = await startNats(t, 'DNS:localhost', true)
      const { caFile } = authority
      const client = await authority.issue('client', 'DNS:client')
      await both(at(nats, 'localhost'), nats, { caFile, client }, undefined)
      await both(at(nats, 'localhost'), nats, { caFile }, /requires a client certificate/)
    })
  })
})
