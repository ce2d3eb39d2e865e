/** Common mail clients with an edge and a real Dovecot: they see the same mails, and the second session reuses the connection. */
import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, suite, test, type TestContext } from 'node:test'
import { findProgram, repository, temporaryDirectory } from '@imapfleet/local'
import { ImapFlow } from 'imapflow'
import { runCommand, type Said } from '../support/command.ts'
import { LoneEdge } from '../support/lone-edge.ts'
import { MailServer } from '../support/mail-server.ts'
import { until } from '../support/until.ts'

const password = 'one of the stock'
const names = ['imaplib', 'imapflow', 'mbsync', 'curl']
const folders = ['Archive.2025', 'Archive.Two words', 'Entw&APw-rfe', 'INBOX', 'Sent']
/** LIST also returns this: the parent of two folders, which contains no mail itself. */
const listed = ['Archive', ...folders]
const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

suite('mail clients', () => {
  let server: MailServer
  let edge: LoneEdge
  let directory: string
  before(async () => {
    server = await MailServer.start(names.map((user) => ({ user, password, mailbox: 'demo' as const })))
    edge = await LoneEdge.start(server.port)
    directory = temporaryDirectory('clients')
  })
  after(async () => {
    await edge?.stop()
    await server?.stop()
  })

  const hashes = async (user: string, folder?: string) => (await server.mails(user, folder)).map(hash).sort()
  const figures = async () => {
    const { counters } = await edge.stats()
    const of = (name: string) => counters[`${name}{upstream="main"}`] ?? 0
    return { opened: of('upstream_connections_total'), reused: of('upstream_reuses_total') }
  }

  /** Runs `again` on the connections of earlier sessions: no connection is opened, and no login reaches the server. */
  async function onReusedConnections(user: string, again: () => Promise<unknown>): Promise<void> {
    await until('all connections at rest', async () => {
      const { gauges } = await edge.stats()
      return gauges['upstreams_leased'] === 0 && gauges['upstreams_resetting'] === 0
    })
    const [earlier, logins] = [await figures(), await server.logins(user)]
    assert.ok(logins >= 1)
    await again()
    const now = await figures()
    assert.equal(now.opened, earlier.opened, 'connections opened to the server')
    assert.ok(now.reused > earlier.reused, 'idle connections used')
    assert.equal(await server.logins(user), logins, 'logins that the server has seen')
  }

  function programOr(t: TestContext, name: string, hint: string): string | undefined {
    const program = findProgram(name)
    if (program === undefined) t.skip(`${name} is not installed: ${hint}`)
    return program
  }

  test("Python's imaplib reads, appends and expunges, the second time on a reused connection", async (t) => {
    const python = programOr(t, 'python3', 'apt-get install python3')
    if (python === undefined) return
    const script = join(repository, 'tests/support/imaplib-session.py')
    const expected = await hashes('imaplib')
    const session = async () => {
      const said = await runCommand(python, [script, `${edge.edge.imapPort}`, 'imaplib', password])
      assert.equal(said.status, 0, said.stderr)
      const seen: unknown = JSON.parse(said.stdout)
      const done = { appended: true, expunged: 1, left: '', check: 'OK' }
      assert.deepEqual(seen, { folders: listed, exists: expected.length, bodies: expected, ...done })
    }
    await session()
    await onReusedConnections('imaplib', session)
    assert.deepEqual(await hashes('imaplib'), expected)
  })

  async function useImapFlow(client: ImapFlow, expected: string[]): Promise<void> {
    const paths = (await client.list()).map(({ path }) => path)
    assert.ok(paths.includes('Entwürfe') && paths.length === listed.length, paths.join(', '))
    const lock = await client.getMailboxLock('INBOX')
    const found: string[] = []
    for await (const { source } of client.fetch('1:*', { source: true }))
      found.push(hash(source ?? Buffer.alloc(0)))
    assert.deepEqual(found.sort(), expected)

    const letter = Buffer.from('From: flow\r\nSubject: from ImapFlow\r\n\r\n* BYE not a reply\r\n')
    await client.append('INBOX', letter, ['\\Flagged'])
    const wanted = { header: { subject: 'from ImapFlow' } }
    const uids = (await client.search(wanted, { uid: true })) || []
    assert.equal(uids.length, 1)
    const own = await client.fetchOne(`${uids[0]}`, { source: true, flags: true }, { uid: true })
    assert.ok(own)
    assert.deepEqual([own.source, own.flags?.has('\\Flagged')], [letter, true])
    await client.messageFlagsAdd(uids, ['\\Seen'], { uid: true })
    assert.ok(await client.messageDelete(uids, { uid: true }))
    assert.deepEqual(await client.search(wanted), [])
    lock.release()
  }

  test('ImapFlow lists, downloads, appends, flags and deletes, later on reused connections', async () => {
    const expected = await hashes('imapflow')
    const session = async () => {
      const client = new ImapFlow({
        host: '127.0.0.1',
        port: edge.edge.imapPort,
        secure: false,
        doSTARTTLS: false,
        auth: { user: 'imapflow', pass: password },
        logger: false,
      })
      await client.connect()
      try {
        await useImapFlow(client, expected)
        await client.logout()
      } finally {
        client.close()
      }
    }
    await session()
    // It enables extensions, which cannot be undone: the first two sessions leave one connection without them and one with them.
    await session()
    await onReusedConnections('imapflow', session)
    assert.deepEqual(await hashes('imapflow'), expected)
  })

  test('mbsync copies every folder, and uploads a new mail on a reused connection', async (t) => {
    const mbsync = programOr(t, 'mbsync', 'apt-get install isync')
    if (mbsync === undefined) return
    const local = join(directory, 'mbsync')
    await mkdir(local)
    const file = join(directory, 'mbsyncrc')
    await writeFile(
      file,
      `IMAPAccount edge
Host 127.0.0.1
Port ${edge.edge.imapPort}
User mbsync
Pass "${password}"
SSLType None

IMAPStore far
Account edge

MaildirStore near
SubFolders Verbatim
Path ${local}/
Inbox ${local}/INBOX

Channel all
Far :far:
Near :near:
Patterns *
Create Near
SyncState *
`,
      { mode: 0o600 },
    )
    const sync = async () => {
      const said = await runCommand(mbsync, ['--config', file, '--all'])
      assert.equal(said.status, 0, said.stderr)
    }
    /** Without the header that mbsync adds to each copy, and with LF as line end, as mbsync writes them. */
    const plain = (mail: Buffer) =>
      mail
        .toString('latin1')
        .replaceAll('\r\n', '\n')
        .replace(/^X-TUID: .*\n/m, '')
    const contents = (mails: Buffer[]) => mails.map((mail) => hash(Buffer.from(plain(mail), 'latin1'))).sort()
    /** mbsync writes the levels of a folder name as directories. */
    const copies = async (name: string) => {
      const folder = name.replaceAll('.', '/')
      const all = await Promise.all(
        ['cur', 'new'].map(async (sub) =>
          (await readdir(join(local, folder, sub))).map((each) => join(local, folder, sub, each)),
        ),
      )
      return contents(await Promise.all(all.flat().map((path) => readFile(path))))
    }

    await sync()
    for (const folder of folders)
      assert.deepEqual(await copies(folder), contents(await server.mails('mbsync', folder)), folder)

    const letter = 'From: near\nSubject: sent up\n\nx LOGOUT\n{5}\n'
    await writeFile(join(local, 'INBOX/new/1.here'), letter)
    await onReusedConnections('mbsync', sync)
    const arrived = (await server.mails('mbsync')).map(plain).filter((mail) => mail.includes('sent up'))
    assert.deepEqual(arrived, [letter])
  })

  test('curl lists, downloads and uploads, the second time on a reused connection', async (t) => {
    const curl = programOr(t, 'curl', 'apt-get install curl')
    if (curl === undefined) return
    const url = `imap://127.0.0.1:${edge.edge.imapPort}/`
    const ask = async (...args: string[]): Promise<Said> => {
      const said = await runCommand(curl, ['--silent', '--show-error', '--user', `curl:${password}`, ...args])
      assert.equal(said.status, 0, said.stderr)
      return said
    }
    const expected = await hashes('curl')
    const session = async () => {
      const target = join(directory, `curl-${randomUUID()}`)
      await mkdir(target)
      const urls = expected.flatMap((_, index) => [
        `${url}INBOX;UID=${index + 1}`,
        '-o',
        join(target, `${index + 1}`),
      ])
      await ask(...urls)
      const got = await Promise.all((await readdir(target)).map((name) => readFile(join(target, name))))
      assert.deepEqual(got.map(hash).sort(), expected)
    }
    await session()
    await onReusedConnections('curl', session)

    const said = (await ask(url)).stdout
    for (const folder of listed) assert.ok(said.includes(folder), said)
    const letter = 'From: curl\r\nSubject: uploaded\r\n\r\nc OK not a reply\r\n'
    await writeFile(join(directory, 'letter'), letter)
    await ask('--upload-file', join(directory, 'letter'), `${url}Sent`)
    // Dovecot stores mails with LF as line end.
    const sent = (await server.mails('curl', 'Sent')).map(String)
    assert.equal(sent.filter((mail) => mail === letter.replaceAll('\r\n', '\n')).length, 1)
  })
})
