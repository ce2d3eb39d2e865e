/** `imapfleet-edge doctor` and `--check`: what they find, and that a fleet does not notice the checks. */
import assert from 'node:assert/strict'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { after, before, suite, test } from 'node:test'
import { mergeLayers, type Layer } from '@imapfleet/config'
import type { EdgeView } from '@imapfleet/api'
import { freePort, node, programFiles, removeTemporaryDirectory, temporaryDirectory } from '@imapfleet/local'
import type { CheckFinding } from '@imapfleet/observe'
import { runCommand } from '../support/command.ts'
import { TestFleet } from '../support/fleet.ts'
import { listeningStub } from '../support/stub-edge.ts'
import type { StubImapd } from '../support/stub-imapd.ts'
import { until } from '../support/until.ts'

const isRoot = process.getuid?.() === 0
const program = programFiles.edge
/** Root starts no edge as root. */
const asUser = isRoot ? ['--user', 'nobody'] : []

async function doctor(file: string, args = asUser) {
  const said = await runCommand(node, [program, 'doctor', '--config', file, '--json', ...args])
  const { findings } = JSON.parse(said.stdout) as { findings: CheckFinding[] }
  return { status: said.status, findings, bad: findings.filter(({ verdict }) => verdict !== 'ok') }
}

suite('doctor of an edge that runs in a fleet', () => {
  let fleet: TestFleet
  before(async () => (fleet = await TestFleet.start()))
  after(() => fleet?.stop())
  const account = () => (isRoot ? ['--user', 'postgres'] : [])
  const problemsOf = async () => {
    const { body } = await fleet.api('/v1/edges/eu-1')
    return (body as EdgeView).problems
  }

  test('all is well, each right is used, and control neither stores nor refuses anything of it', async () => {
    const { status, findings, bad } = await doctor(fleet.eu.configFile, account())
    assert.deepEqual(bad, [])
    assert.equal(status, 0)
    const seen = findings.map(({ check, text }) => `${check}: ${text}`).join('\n')
    for (const expected of [
      /^ports: listeners\.imap: .* is used by the running edge$/m,
      /^ports: http: .* is used by the running edge$/m,
      /^state: .* can be written$/m,
      /^servers: upstreams\.main: 127\.0\.0\.1 port \d+ greets without TLS and offers IMAP4rev1/m,
      /^nats: connected to /m,
      /^rights: heartbeats, reports, traces, evidence, answers, orders and desired state are allowed$/m,
      /^running: version .* is ready, without problems$/m,
    ])
      assert.match(seen, expected)
    assert.deepEqual(await problemsOf(), [])
  })

  test('a credential of another edge: every right that NATS refuses is named, and what to do', async () => {
    const document = JSON.parse(await readFile(fleet.eu.configFile, 'utf8')) as Layer
    const other = JSON.parse(await readFile(fleet.us.configFile, 'utf8')) as { fleet: Layer }
    const file = `${fleet.stack.directory}/mixed.yaml`
    await writeFile(file, JSON.stringify(mergeLayers(document, { fleet: other.fleet })), { mode: 0o644 })
    const { status, bad } = await doctor(file, account())
    assert.equal(status, 1)
    const refused = bad.filter(({ check }) => check === 'rights')
    for (const subject of ['presence', 'report', 'evidence', 'answer', 'trace', 'order.edge', 'order.region'])
      assert.ok(
        refused.some(({ text }) => text.includes(`imapfleet.${subject}.eu`)),
        `${subject}: ${JSON.stringify(bad)}`,
      )
    assert.match(refused[0]?.remedy ?? '', /imapfleet edges enroll eu-1 --region eu/)
  })

  test('the edge that runs has its ports, whatever the file says of its name and its HTTP port', async (t) => {
    const file = fleet.eu.configFile
    const text = await readFile(file, 'utf8')
    t.after(() => writeFile(file, text))
    const without = async (change: Layer) => {
      await writeFile(file, JSON.stringify(mergeLayers(JSON.parse(text) as Layer, change)))
      const { findings } = await doctor(file, account())
      const shown = (name: string) =>
        findings.filter(({ check }) => check === name).map((each) => `${each.verdict} ${each.text}`)
      return { ports: shown('ports'), running: shown('running') }
    }
    const own = /^ok listeners\.imap: .* is used by the running edge$/
    const renamed = await without({ edge: { id: 'eu-9', region: 'east' } })
    assert.match(renamed.ports[0] ?? '', own)
    assert.match(renamed.ports[1] ?? '', /^ok http: .* is used by the running edge$/)
    assert.equal(renamed.running[0], 'warn it runs as eu-1 in the region eu, and the file says eu-9 in east')
    for (const port of [0, await freePort()]) {
      const moved = await without({ http: { port } })
      assert.match(moved.ports[0] ?? '', own)
      assert.deepEqual(moved.running, [])
    }
    // Another edge with the same HTTP port is not this one.
    const copy = `${fleet.stack.directory}/copy.yaml`
    await writeFile(copy, text, { mode: 0o644 })
    const other = await doctor(copy, account())
    assert.equal(other.bad.filter(({ check }) => check === 'ports').length, 2, JSON.stringify(other.bad))
  })

  test('NATS is down: it says so, and the rest is checked', async () => {
    await fleet.stack.nats.process?.kill()
    const { status, bad } = await doctor(fleet.eu.configFile, account())
    assert.equal(status, 1)
    assert.match(
      bad.find(({ check }) => check === 'nats')?.text ?? '',
      /cannot connect to nats:.*ECONNREFUSED/,
    )
    await until('the edge without NATS', async () => {
      const { bad: present } = await doctor(fleet.eu.configFile, account())
      return present.some(({ check, text }) => check === 'running' && text.startsWith('not in the fleet: '))
    })
    await fleet.stack.nats.process?.start()
  })
})

suite('doctor of an edge that does not run', () => {
  let stub: StubImapd
  let directory: string
  let count = 0
  before(async () => {
    stub = await listeningStub()
    directory = temporaryDirectory('doctor')
  })
  after(async () => {
    await stub?.close()
    await removeTemporaryDirectory(directory)
  })

  const fileWith = async (config: Layer) => {
    const usual: Layer = {
      listeners: { imap: { address: '127.0.0.1', port: 1 } },
      upstreams: { main: { hosts: ['127.0.0.1'], port: stub.port } },
      http: { port: 0 },
      process: { user: 'nobody' },
    }
    const file = `${directory}/${++count}.yaml`
    await writeFile(file, JSON.stringify(mergeLayers(usual, config)), { mode: 0o644 })
    return file
  }
  const start = async (file: string) => await runCommand(node, [program, '--config', file])
  const check = async (file: string) => await runCommand(node, [program, '--check', '--config', file])

  const cases: [string, Layer, string, RegExp][] = [
    [
      'STARTTLS that does not work',
      { upstreams: { main: { tls: 'starttls' } } },
      'servers',
      /the server refused STARTTLS/,
    ],
    [
      'TLS where there is none',
      { upstreams: { main: { tls: 'implicit' } } },
      'servers',
      /sends no TLS on this port/,
    ],
    [
      'a name that does not exist',
      { upstreams: { main: { hosts: ['nowhere.invalid'] } } },
      'names',
      /nowhere\.invalid/,
    ],
    [
      'a state directory that cannot be made',
      { fleet: { servers: ['nats://127.0.0.1:1'], stateDir: '/etc/hostname/state' } },
      'state',
      /cannot write \/etc\/hostname\/state: ENOTDIR/,
    ],
    [
      'a credential that is missing',
      { fleet: { servers: ['nats://127.0.0.1:1'], credentialsFile: '/nowhere' } },
      'files',
      /fleet\.credentialsFile: cannot read \/nowhere: ENOENT/,
    ],
    [
      'a protocol log in a directory that is missing',
      { trace: { file: '/nowhere/protocol.log' } },
      'files',
      /trace\.file: cannot write \/nowhere\/protocol\.log: ENOENT/,
    ],
  ]
  for (const [what, config, place, words] of cases)
    test(`it finds ${what}`, async () => {
      const { status, bad } = await doctor(await fileWith(config), [])
      assert.equal(status, 1)
      assert.match(bad.find((each) => each.check === place)?.text ?? JSON.stringify(bad), words)
    })

  test('what the start refuses, --check refuses too: a port in use, and root without a user', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const busy = await check(await fileWith({ listeners: { imap: { port } } }))
    server.close()
    assert.equal(busy.status, 1)
    assert.match(busy.stderr, /listeners\.imap: cannot listen on 127\.0\.0\.1 port \d+: the port is in use/)
    assert.match(busy.stderr, new RegExp(`: node \\(process ${process.pid}\\) has it$`, 'm'))
    assert.equal(busy.stdout, '')
    if (!isRoot) return
    const asRoot = await check(await fileWith({ process: { user: 'root' } }))
    assert.equal(asRoot.status, 1)
    assert.match(asRoot.stderr, /the edge does not run as root: set process\.user/)
    const nobody = await check(await fileWith({ process: { user: 'no-such-user' } }))
    assert.match(nobody.stderr, /cannot change to the user no-such-user: there is no such user/)
  })

  test('--check reads the files of the fleet as the start does', async () => {
    const text = `${directory}/text`
    await writeFile(text, 'no secret, no certificate\n', { mode: 0o644 })
    await writeFile(`${text}.empty`, '', { mode: 0o644 })
    const unusable: [Layer, RegExp][] = [
      [{ credentialsFile: text }, /fleet\.credentialsFile: \S+ is not a NATS credentials file/],
      [{ tokenFile: `${text}.empty` }, /fleet\.tokenFile: \S+ is empty/],
      [{ tlsCaFile: text }, /fleet\.tlsCaFile: \S+ is not a PEM file with a certificate/],
    ]
    for (const [files, words] of unusable) {
      const file = await fileWith({ fleet: { servers: ['nats://127.0.0.1:1'], ...files } })
      assert.match((await check(file)).stderr, words)
      const started = await start(file)
      assert.equal(started.status, 2)
      assert.match(started.stderr, words)
    }
  })

  test('systemd starts the edge again if a port is in use, and not if files or users are wrong', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const busy = await start(await fileWith({ listeners: { imap: { port } } }))
    server.close()
    assert.equal(busy.status, 1, busy.stderr)
    const listeners = { imap: { port: await freePort() } }
    const missing = '/nowhere/file'
    const tls = { tls: 'implicit', certFile: missing, keyFile: missing }
    const mistakes: Layer[] = [
      { listeners: { imap: { ...listeners.imap, ...tls } } },
      { listeners, upstreams: { main: { tls: 'implicit', caFile: missing } } },
      { listeners, trace: { file: missing } },
      { listeners, log: { file: missing } },
      ...(isRoot ? [{ listeners, process: { user: 'root' } }] : []),
      ...(isRoot ? [{ listeners, process: { user: 'no-such-user' } }] : []),
    ]
    for (const config of mistakes) {
      const said = await start(await fileWith(config))
      assert.equal(said.status, 2, `${JSON.stringify(config)}: ${said.stderr}`)
    }
  })

  test('a configuration that the user of the edge cannot read', { skip: !isRoot }, async () => {
    const file = await fileWith({})
    await chmod(file, 0o600)
    const found = await doctor(file)
    assert.equal(found.status, 1)
    assert.match(
      found.bad.find(({ check: name }) => name === 'files')?.text ?? JSON.stringify(found.bad),
      /^cannot read the configuration \S+: EACCES$/,
    )
  })

  test('only root can check as another user', { skip: !isRoot }, async () => {
    const file = await fileWith({ trace: { file: `${directory}/protocol.log` } })
    const run = `exec setpriv --reuid=65534 --regid=65534 --clear-groups "$0" "$1" doctor --json --config "$2" --user postgres`
    const { status, stdout } = await runCommand('sh', ['-c', run, node, program, file])
    const { findings } = JSON.parse(stdout) as { findings: CheckFinding[] }
    assert.equal(status, 1)
    const bad = findings.filter(({ verdict }) => verdict === 'fail')
    assert.match(bad[0]?.text ?? '', /^files cannot be checked as postgres: /)
    assert.deepEqual(
      findings.filter(({ check: name }) => name === 'files'),
      [],
    )
  })

  test('output that cannot be written is a failure, and a reader that leaves is none', async () => {
    const file = await fileWith({})
    const run = (script: string) => runCommand('bash', ['-c', script, node, program, file])
    const full = await run('"$0" "$1" doctor --config "$2" > /dev/full')
    assert.equal(full.status, 1)
    assert.equal(full.stderr, 'imapfleet-edge: cannot write the output: ENOSPC\n')
    const left = await run('set -o pipefail; "$0" "$1" --help | true')
    assert.deepEqual([left.status, left.stderr], [0, ''])
  })

  test('--check leaves nothing behind, and mistakes of the file are told with status 2', async () => {
    const log = `${directory}/protocol.log`
    const state = `${directory}/deep/state`
    const file = await fileWith({
      trace: { file: log },
      fleet: { servers: ['nats://127.0.0.1:1'], stateDir: state },
    })
    await check(file)
    for (const made of [log, `${directory}/deep`]) await assert.rejects(readFile(made), { code: 'ENOENT' })
    const wrong = await runCommand(node, [
      program,
      'doctor',
      '--config',
      await fileWith({ pool: { nonsense: 1 } }),
    ])
    assert.equal(wrong.status, 2)
    assert.match(wrong.stderr, /pool\.nonsense/)
  })
})
