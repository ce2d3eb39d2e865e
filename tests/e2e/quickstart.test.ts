/** `npm run quickstart` in its own clone: one command starts the fleet, keeps its data, and leaves no process behind. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { after, before, suite, test } from 'node:test'
import { edgeListSchema } from '@imapfleet/api'
import { WireClient } from '../conformance/wire.ts'
import { Clone, type QuickstartFacts } from '../support/clone.ts'
import { runCommand, startCommand } from '../support/command.ts'
import { printed } from '../support/documents.ts'
import { processesOf } from '../support/processes.ts'
import { until } from '../support/until.ts'

suite('quickstart', () => {
  let clone: Clone
  before(async () => (clone = await Clone.make()))
  after(() => clone?.remove())

  const edgesOf = async ({ api, token }: QuickstartFacts) => {
    const answer = await fetch(`${api}/v1/edges`, { headers: { authorization: `Bearer ${token}` } })
    return edgeListSchema.parse(await answer.json()).edges
  }

  const logIn = async (port: number, facts: QuickstartFacts, user = 0) => {
    const client = await WireClient.open(port, 'q', 15_000)
    await client.response()
    const { status } = await client.command(`LOGIN ${facts.users[user]?.user} ${facts.users[user]?.password}`)
    assert.equal(status, 'OK')
    return client
  }

  const gone = () =>
    until('the end of every process', async () => (await processesOf(clone.directory)).size === 0)

  test('starts two edges, an API and a mail server, prints their addresses, and stops all of them on SIGTERM', async () => {
    const { running, facts } = await clone.start()
    assert.deepEqual(
      facts.edges.map(({ id, region }) => [id, region]),
      [
        ['eu-1', 'eu'],
        ['us-1', 'us'],
      ],
    )
    assert.deepEqual(
      (await edgesOf(facts)).map(({ id, state }) => [id, state]),
      [
        ['eu-1', 'serving'],
        ['us-1', 'serving'],
      ],
    )
    for (const { imapPort, httpPort } of facts.edges) {
      const client = await logIn(imapPort, facts)
      assert.equal((await client.command('APPEND INBOX {11+}\r\nKept: 1\r\n\r\n')).status, 'OK')
      await client.command('LOGOUT')
      assert.equal((await fetch(`http://127.0.0.1:${httpPort}/readyz`)).status, 200)
    }
    await until('the page of text', () => running.stdout().includes('Ctrl-C stops it'))
    for (const shown of [
      facts.api,
      facts.token,
      './imapfleet edges',
      ...facts.edges.map((edge) => `:${edge.imapPort}`),
    ])
      assert.ok(running.stdout().includes(shown), `${shown} is not shown`)
    const [edges = '', stats = '', set = '', trace = ''] = printed('README.md', './imapfleet edges')
    const said = async (command: string) => {
      const { status, stdout, stderr } = await runCommand('sh', ['-c', command], { cwd: clone.directory })
      assert.equal(status, 0, stderr)
      return stdout
    }
    assert.match(await said(edges), /eu-1 +eu +serving/)
    await until('the first reports', async () => /^TOTAL /m.test(await said(stats)))
    assert.match(await said(set), /eu-1 +eu +applied/)
    const tracing = startCommand('sh', ['-c', `exec ${trace}`], { cwd: clone.directory })
    await until('the trace of a page', async () => {
      const client = await logIn(facts.edges[0]?.imapPort ?? 0, facts)
      await client.command('LOGOUT')
      return tracing.stdout().includes('session began')
    })
    tracing.child.kill('SIGINT')
    await tracing.ended

    const second = await clone.quickstart().ended
    assert.equal(second.status, 1)
    assert.match(second.stderr, /already running in this clone/)
    assert.deepEqual(await clone.facts(), facts, 'the first one is not disturbed')

    running.child.kill('SIGTERM')
    await running.ended
    await gone()
    assert.equal(await clone.facts(), undefined)
  })

  test('a second start keeps token, users and mail, and avoids ports in use', async () => {
    const busy = createServer()
    const { promise, resolve } = Promise.withResolvers<void>()
    busy.once('error', () => resolve()).listen(1143, '127.0.0.1', resolve)
    await promise
    const { running, facts } = await clone.start()
    assert.ok(facts.edges.every(({ imapPort }) => imapPort !== 1143))
    const client = await logIn(facts.edges[0]?.imapPort ?? 0, facts)
    const inbox = await client.command('SELECT INBOX')
    assert.ok(inbox.untagged.includes('* 11 EXISTS'), inbox.untagged.join('\n'))
    await client.command('LOGOUT')
    busy.close()

    clone.interrupt(running)
    assert.match((await running.ended).stdout, /Stopped\./)
    await gone()
  })

  test('restarts a part that was killed, and leaves no process behind when it is killed itself', async () => {
    const { running, facts } = await clone.start()
    const held = await logIn(facts.edges[0]?.imapPort ?? 0, facts, 1)
    const [control] = [...(await processesOf(clone.directory))].filter(([, line]) =>
      line.includes('apps/control/'),
    )
    assert.ok(control)
    process.kill(control[0], 'SIGKILL')
    assert.equal((await held.command('NOOP')).status, 'OK')
    await until('control to be back', async () => (await edgesOf(facts)).length === 2)
    assert.equal((await held.command('NOOP')).status, 'OK')
    await held.kill()

    process.kill(await clone.pid(), 'SIGKILL')
    await running.ended
    await gone()
    const again = await clone.start()
    assert.equal(again.facts.token, facts.token)
    // Kills npm itself. The processes that it started notice it.
    again.running.child.kill('SIGKILL')
    await gone()
  })

  test('an edge that was handed over to another process is not restarted, and that process is stopped at the end', async () => {
    const { running, facts } = await clone.start()
    const edges = async () =>
      [...(await processesOf(clone.directory))].filter(([, line]) => line.includes('edges/eu-1/edge.yaml'))
    const [older, ...others] = await edges()
    assert.ok(older && others.length === 0)
    process.kill(older[0], 'SIGUSR2')
    const [newer] = await until('one newer process', async () => {
      const found = await edges()
      return found.length === 1 && found[0]![0] !== older[0] && found
    })
    const client = await logIn(facts.edges[0]?.imapPort ?? 0, facts)
    // It is the only one, and would not be if another one had been started beside it.
    process.kill(newer![0], 'SIGKILL')
    await client.kill()
    const [restarted] = await until('it to be restarted', async () => {
      const found = await edges()
      return found.length === 1 && found[0]![0] !== newer![0] && found
    })
    await until('the edge to serve', async () =>
      (await edgesOf(facts)).every(({ state }) => state === 'serving'),
    )
    assert.match(running.stdout(), /eu-1 .*the process that took over has ended, restarting it/)
    assert.doesNotMatch(running.stdout(), /eu-1 .*exited/)
    process.kill(restarted![0], 'SIGUSR2')
    await until('the next process', async () => {
      const found = await edges()
      return found.length === 1 && found[0]![0] !== restarted![0]
    })
    running.child.kill('SIGTERM')
    await running.ended
    await gone()
  })

  test('a given IMAP server is used instead of the demo server', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy())
      socket.write('* OK [CAPABILITY IMAP4rev1] my own server\r\n')
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    server.listen(0, '127.0.0.1', resolve)
    await promise
    const address = server.address()
    const upstream = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
    const { running, facts } = await clone.start('--upstream', upstream)
    assert.equal(facts.upstream, upstream)
    assert.deepEqual(facts.users, [])
    assert.ok([...(await processesOf(clone.directory)).values()].every((line) => !line.includes('dovecot')))
    running.child.kill('SIGTERM')
    await running.ended
    await gone()
    server.close()
  })
})
