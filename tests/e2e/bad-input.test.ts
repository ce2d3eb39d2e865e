/** Each kind of wrong input gets one clear line that says what to do, and an exit status, but no stack trace. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { node, programFiles, temporaryDirectory } from '@imapfleet/local'
import { runCommand, type RunOptions, type Said } from '../support/command.ts'
import { TestFleet } from '../support/fleet.ts'

const edge = (...args: string[]) => runCommand(node, [programFiles.edge, ...args])
const control = (args: string[], env?: RunOptions['env']) =>
  runCommand(node, [programFiles.control, ...args], { env })
const quickstart = (...args: string[]) => runCommand(node, ['scripts/quickstart.mjs', ...args])

/** Expects a failure, with this one line on stderr and nothing that only a programmer understands. */
function assertRefused({ status, stderr }: Said, words: RegExp): void {
  assert.ok(status !== null && status > 0, `exit status ${status}: ${stderr}`)
  assert.match(stderr, words)
  assert.doesNotMatch(stderr, /\n\s+at |node:internal|ERR_|undefined|\[object/, stderr)
  const line = stderr.split('\n').find((each) => words.test(each)) ?? ''
  assert.ok(line.length < 400, `a line of ${line.length} characters`)
}

suite('bad input', () => {
  let fleet: TestFleet
  let directory: string
  const taken = createServer()
  before(async () => {
    fleet = await TestFleet.start()
    directory = temporaryDirectory('bad')
    const { promise, resolve } = Promise.withResolvers<void>()
    taken.listen(0, '127.0.0.1', resolve)
    await promise
  })
  after(async () => {
    taken.close()
    await fleet?.stop()
  })
  const takenPort = () => (taken.address() as AddressInfo).port
  const file = async (text: string) => {
    const path = join(directory, 'edge.yaml')
    await writeFile(path, text)
    return path
  }

  test('imapfleet: an unknown command, option and a missing argument', async () => {
    assertRefused(await fleet.cli('egdes'), /unknown command 'egdes'/)
    assertRefused(await fleet.cli('edges', '--wrong'), /unknown option '--wrong'/)
    assertRefused(await fleet.cli('trace'), /missing required argument/)
  })

  test('imapfleet: an unknown token', async () => {
    assertRefused(await fleet.cli('--token', 'imapfleet_wrong', 'edges'), /token/)
  })

  test('imapfleet: no server, and a server that does not answer', async () => {
    const nowhere = { HOME: directory, XDG_CONFIG_HOME: directory }
    const lost = await runCommand(join(process.cwd(), 'imapfleet'), ['edges'], {
      cwd: directory,
      env: nowhere,
    })
    // The command finds a quickstart that runs in its own clone.
    if (lost.status !== 0) assertRefused(lost, /server/)
    assertRefused(await fleet.cli('--server', 'http://127.0.0.1:1', 'edges'), /127\.0\.0\.1:1/)
    assertRefused(await fleet.cli('--server', 'localhost', 'edges'), /http:\/\//)
  })

  test('the API: no token, a wrong token, an unknown route, no JSON', async () => {
    assert.equal((await fleet.api('/v1/edges', { token: 'wrong' })).status, 401)
    const bare = await fetch(`${fleet.stack.control.api}/v1/edges`)
    assert.equal(bare.status, 401)
    assert.equal((await fleet.api('/v1/nothing')).status, 404)
    assert.equal((await fleet.api('/v1/edges/nobody')).status, 404)
    const answer = await fetch(`${fleet.stack.control.api}/v1/config/revisions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${fleet.stack.token}`, 'content-type': 'application/json' },
      body: '{',
    })
    assert.equal(answer.status, 400)
    assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/)
  })

  test('the edge: a missing file, an unreadable file, a mistake in the file, a port in use', async () => {
    assertRefused(await edge(), /--config/)
    assertRefused(await edge('--config', join(directory, 'nothing.yaml')), /nothing\.yaml/)
    assertRefused(await edge('--config', directory), /cannot read/)
    assertRefused(
      await edge('--config', await file('pool: { idleTimeoutMs: 5 }')),
      /pool\.idleTimeoutMs must be at least 1000/,
    )
    assertRefused(await edge('--config', await file('pool: [')), /edge\.yaml/)
    assertRefused(await edge('--wrong'), /--wrong/)
    const busy = `listeners: { imap: { address: 127.0.0.1, port: ${takenPort()} } }\nhttp: { port: 0 }`
    assertRefused(await edge('--config', await file(busy)), new RegExp(`${takenPort()}`))
  })

  test('control: an unknown command, no database, no port, a port in use, an unknown role', async () => {
    const { postgres, nats } = fleet.stack
    const services = { DATABASE_URL: postgres.url, NATS_URL: nats.url, NATS_TOKEN_FILE: nats.tokenFile }
    assertRefused(await control(['serve'], services), /serve/)
    assertRefused(await control(['all'], { ...services, DATABASE_URL: undefined }), /DATABASE_URL/)
    assertRefused(await control(['all', '--port', 'x'], services), /port/)
    assertRefused(await control(['all', '--port', `${takenPort()}`], services), new RegExp(`${takenPort()}`))
    const wrongToken = await control(['token', 'create', '--name', 'x', '--role', 'king'], services)
    assertRefused(wrongToken, /king/)
  })

  test('quickstart: wrong arguments, and an upstream that does not answer', async () => {
    for (const [args, words] of [
      [['--wrong'], /--wrong/],
      [['--upstream'], /--upstream/],
      [['--upstream', 'mail.example.org'], /HOST:PORT/],
    ] as const) {
      const said = await quickstart(...args)
      assertRefused(said, words)
      assert.equal(said.status, 2)
    }
  })
})
