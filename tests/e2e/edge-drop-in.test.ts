/**
 * Debian's sample imapproxy.conf, unchanged except for ports, paths and the name of the server: the edge replaces
 * imapproxy as its README describes it.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { freePort, LocalProcess, node, programFiles, repository, temporaryDirectory } from '@imapfleet/local'
import { edgeStatsSchema } from '@imapfleet/protocol'
import { runCommand } from '../support/command.ts'
import { MailSocket } from '../support/mail-socket.ts'
import { StubImapd } from '../support/stub-imapd.ts'
import { until } from '../support/until.ts'

const samples = [
  '/usr/share/imapproxy/imapproxy.conf.default',
  '/usr/share/doc/imapproxy/examples/imapproxy.conf',
]
const sample = samples.find((file) => existsSync(file))
const withoutSample = sample === undefined ? 'no sample here: apt-get install imapproxy (Debian 12)' : false
/** The HTTP address if the file does not set it, which an imapproxy.conf cannot. */
const http = 'http://127.0.0.1:9143'

suite('a replacement for imapproxy', { skip: withoutSample }, () => {
  let directory: string
  let stub: StubImapd
  let port: number
  let edge: LocalProcess
  let httpTaken: string | false
  before(async () => {
    directory = temporaryDirectory('drop-in')
    stub = new StubImapd(await freePort())
    for (const name of ['alice', 'bob']) stub.account(name, 'open sesame')
    stub.offer({ before: 'IMAP4rev1 SASL-IR LITERAL+ ID AUTH=PLAIN' })
    await stub.listen()
    port = await freePort()
    edge = await startOn(await adjusted('imapproxy.conf', { enable_admin_commands: 'yes' }), port)
    const taken = (await log(edge)).includes('http_unavailable')
    httpTaken = taken && `another process has port 9143, where an imapproxy.conf has the numbers`
  })
  after(async () => {
    await edge?.stop()
    await stub?.close()
    assert.deepEqual(stub.faults, [])
  })

  /** The sample with these values. Lines that are commented out stay so. */
  async function adjusted(
    name: string,
    keywords: Record<string, string>,
    listenPort = port,
  ): Promise<string> {
    const values: Record<string, string> = {
      server_hostname: '127.0.0.1',
      server_port: `${stub.port}`,
      listen_port: `${listenPort}`,
      stat_filename: join(directory, 'pimpstats'),
      protocol_log_filename: join(directory, 'protocol.log'),
      chroot_directory: join(directory, 'chroot'),
      ...keywords,
    }
    let text = await readFile(sample ?? '', 'utf8')
    for (const [keyword, value] of Object.entries(values)) {
      const line = new RegExp(`^${keyword} .*$`, 'm')
      assert.match(text, line)
      text = text.replace(line, `${keyword} ${value}`)
    }
    const file = join(directory, name)
    await writeFile(file, text)
    return file
  }

  /** Runs as the user of the test, also as root: the edge itself drops privileges. */
  async function startOn(file: string, listenPort: number): Promise<LocalProcess> {
    const started = new LocalProcess({
      name: `edge-${listenPort}`,
      command: node,
      args: [programFiles.edge, '--config', file],
      ground: { directory, account: undefined },
      isReady: async () => {
        await (await MailSocket.greeted({ port: listenPort })).close()
        return true
      },
    })
    await started.start()
    return started
  }
  const log = (of: LocalProcess) => readFile(of.logFile, 'utf8')
  const protocolLog = () => readFile(join(directory, 'protocol.log'), 'utf8')
  const client = () => MailSocket.greeted({ port })
  /** Sends an admin command on a new connection. Returns its untagged lines, then its status and text. */
  async function admin(command: string): Promise<string[]> {
    const own = await client()
    const { status, text, untagged } = await own.command(command)
    await own.close()
    return [...untagged, `${status} ${text}`]
  }
  async function entered(user: string): Promise<MailSocket> {
    const own = await client()
    const { status, text } = await own.command(`LOGIN ${user} "open sesame"`)
    assert.equal(status, 'OK', text)
    return own
  }
  const icc = async () => (await admin('XPROXY_DUMPICC')).map((line) => line.replace(/ \d+ /, ' # '))
  const atRest = (...users: string[]) =>
    until(`cached connections of ${users.join(', ')}`, async () => {
      const cached = users.map((user) => `* XPROXY_DUMPICC # ${user} Cached`)
      return (await icc()).toSorted().join() === [...cached, 'OK Completed'].join()
    })

  test('--check prints what each line of the file became', async () => {
    // The port of the sample may be in use.
    const file = await adjusted('checked.conf', {}, await freePort())
    const said = await runCommand(node, [programFiles.edge, '--config', file, '--check'])
    assert.equal(said.status, 0, said.stderr)
    const text = await readFile(file, 'utf8')
    const lines = text
      .split('\n')
      .flatMap((line, index) => (/^[a-z]/.test(line) ? [{ line, number: index + 1 }] : []))
    assert.ok(lines.length >= 18)
    for (const { line, number } of lines) assert.ok(said.stdout.includes(`line ${number}: ${line} → `), line)
  })

  test(
    'if it is started as root, it permanently becomes proc_username and proc_groupname',
    { skip: process.getuid?.() !== 0 && 'only root can change its user' },
    async () => {
      assert.match(await log(edge), /info user_changed user=nobody group=nogroup/)
      const status = await readFile(`/proc/${edge.pid}/status`, 'utf8')
      assert.match(status, /^Uid:\t65534\t65534\t65534\t65534$/m)
      assert.match(status, /^Gid:\t65534\t65534\t65534\t65534$/m)
      assert.match(status, /^Groups:\t65534 ?$/m)
      assert.match(status, /^CapEff:\t0+$/m)
    },
  )

  test('without enable_admin_commands, the commands are neither offered nor answered', async () => {
    const other = await freePort()
    const plain = await startOn(await adjusted('plain.conf', {}, other), other)
    const own = await MailSocket.greeted({ port: other })
    assert.doesNotMatch(own.greeting, /XIMAPPROXY/)
    assert.equal((await own.command('XPROXY_VERSION')).status, 'BAD')
    assert.equal((await own.command('LOGIN bob "open sesame"')).status, 'OK')
    await own.command('LOGOUT')
    await plain.stop()
  })

  test('XIMAPPROXY is offered before login, and the commands work only before login', async () => {
    const own = await client()
    assert.match((await own.command('CAPABILITY')).untagged.join('\n'), /\bXIMAPPROXY\b/)
    await own.command('LOGIN bob "open sesame"')
    assert.doesNotMatch((await own.command('CAPABILITY')).untagged.join('\n'), /XIMAPPROXY/)
    const { status, untagged } = await own.command('XPROXY_VERSION')
    assert.deepEqual([status, untagged], ['BAD', []])
    await own.command('LOGOUT')
  })

  test('the commands are answered as in the README of imapproxy', async () => {
    const { stdout } = await runCommand(node, [programFiles.edge, '--version'])
    const version = stdout.trim().split(' ')[1] ?? ''
    assert.match(version, /^\d+\.\d+\.\d+/)
    assert.deepEqual(await admin('XPROXY_VERSION'), [`* XPROXY_VERSION ${version}`, 'OK Completed'])
    assert.deepEqual(await admin('xproxy_trace alice'), ['OK Tracing enabled for user alice'])
    assert.deepEqual(await admin('XPROXY_TRACE'), ['OK Tracing disabled'])
    assert.deepEqual(await admin('XPROXY_NEWLOG'), ['OK Logfile cleared'])
    assert.deepEqual(await admin('XPROXY_RESETCOUNTERS'), ['OK Counters reset'])
  })

  test('XPROXY_DUMPICC lists each connection as Active or Cached, and a reused one is marked', async () => {
    await atRest('bob')
    const alice = await entered('alice')
    assert.deepEqual((await icc()).toSorted(), [
      '* XPROXY_DUMPICC # alice Active',
      '* XPROXY_DUMPICC # bob Cached',
      'OK Completed',
    ])
    await alice.command('LOGOUT')
    await atRest('alice', 'bob')
    const again = await client()
    const { status, untagged } = await again.command('LOGIN alice "open sesame"')
    assert.deepEqual(
      [status, untagged],
      ['OK', ['* OK [XPROXYREUSE] IMAP connection reused by squirrelmail-imap_proxy']],
    )
    await again.command('LOGOUT')
  })

  test('every ID from before login reaches the server after login, in order, and a refused one is logged', async () => {
    stub.behave((command, connection) => {
      if (command.name !== 'ID' || !command.args[0]?.includes('unwelcome')) return false
      connection.send(`${command.tag} NO [CANNOT] Not this one\r\n`)
      return true
    })
    await atRest('alice', 'bob')
    const own = await client()
    for (const id of [
      '("name" "webmail")',
      '("unwelcome" "yes")',
      'NIL',
      '("x-originating-ip" "10.10.1.2")',
    ]) {
      const { status, text } = await own.command(`ID ${id}`)
      assert.deepEqual([status, text], ['OK', 'Completed'])
    }
    await own.command('LOGIN alice "open sesame"')
    const { status, untagged } = await own.command('STATUS INBOX (MESSAGES)')
    assert.deepEqual([status, untagged], ['OK', ['* STATUS INBOX (MESSAGES 3)']])
    const connection = stub.connections.find(({ user }) => user === 'alice')
    assert.deepEqual(
      connection?.commands.slice(-5).map(({ name, args }) => `${name} ${args[0]}`),
      [
        'ID (name webmail)',
        'ID (unwelcome yes)',
        'ID NIL',
        'ID (x-originating-ip 10.10.1.2)',
        'STATUS INBOX',
      ],
    )
    const line = await until('the refused ID in the log', async () =>
      (await log(edge)).split('\n').find((each) => each.includes('QUEUED PREAUTH failed')),
    )
    assert.match(line, /command=ID answer=.*Not this one/)
    await own.command('LOGOUT')
    stub.behave(() => false)
  })

  test('the protocol log has only the traced user, without password and message bodies', async () => {
    await admin('XPROXY_TRACE alice')
    for (const user of ['alice', 'bob']) {
      const own = await entered(user)
      await own.command(`SELECT box-of-${user}`)
      await own.command('SELECT INBOX')
      await own.command('FETCH 1 (UID BODY[])')
      await own.command('LOGOUT')
    }
    await until('the end of the traced session', async () =>
      /session ended: logout/.test(await protocolLog()),
    )
    const traced = await protocolLog()
    assert.match(traced, / alice CLIENT: .*SELECT box-of-alice/)
    assert.match(traced, / alice SERVER: .*OK \[READ-WRITE\]/)
    assert.match(traced, / alice SERVER: \* 1 FETCH /)
    assert.doesNotMatch(traced, /open sesame|LOGIN|bob|This belongs to/)

    await admin('XPROXY_TRACE')
    await (await entered('alice')).command('LOGOUT')
    await atRest('alice', 'bob')
    const behind = (await protocolLog()).slice(traced.length)
    assert.doesNotMatch(behind, /CLIENT|SERVER/)
    await admin('XPROXY_NEWLOG')
    assert.equal(await protocolLog(), '')
  })

  test('the HTTP port has the numbers of pimpstat, and imapfleet top shows them without a fleet', async (t) => {
    if (httpTaken) return t.skip(httpTaken)
    await admin('XPROXY_RESETCOUNTERS')
    await atRest('alice', 'bob')
    const own = await entered('alice')
    const top = await runCommand(join(repository, 'imapfleet'), [
      'top',
      '--edge',
      http,
      '--once',
      '--output',
      'json',
    ])
    assert.equal(top.status, 0, top.stderr)
    const { statistics } = edgeStatsSchema.parse(JSON.parse(top.stdout))
    assert.deepEqual(statistics.logins, { total: 1, reused: 1, opened: 0, reuseRatio: 1 })
    assert.deepEqual([statistics.active.current, statistics.cached.current], [1, 1])
    assert.ok(statistics.clients.current >= 1 && statistics.clients.total >= 2)
    assert.ok(Date.parse(statistics.resetAt) > Date.parse(statistics.startedAt))
    const prometheus = await (await fetch(`${http}/metrics`)).text()
    assert.match(prometheus, /^imapfleet_upstreams_leased 1$/m)
    assert.match(prometheus, /^imapfleet_upstreams_idle 1$/m)
    const screen = await runCommand(join(repository, 'imapfleet'), ['top', '--edge', http, '--once'])
    assert.match(screen.stdout, /Upstreams active +1/)
    assert.match(screen.stdout, /reuse ratio/)
    await own.command('LOGOUT')
    assert.ok(!existsSync(join(directory, 'pimpstats')))
  })
})
