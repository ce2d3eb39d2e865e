/** The triggers of a handover of an edge, its notifications, and the ports of each process after it. */
import assert from 'node:assert/strict'
import { appendFile, writeFile } from 'node:fs/promises'
import { after, before, suite, test, type TestContext } from 'node:test'
import { mergeLayers, type Layer } from '@imapfleet/config'
import { freePort, node, programFiles, removeTemporaryDirectory, temporaryDirectory } from '@imapfleet/local'
import { processExists } from '../support/process-exists.ts'
import { startCommand } from '../support/command.ts'
import { LoneEdge } from '../support/lone-edge.ts'
import { entered, isServed, listeningStub } from '../support/stub-edge.ts'
import type { StubImapd } from '../support/stub-imapd.ts'
import { until } from '../support/until.ts'

suite('the handover of an edge', () => {
  let stub: StubImapd
  let directory: string
  before(async () => {
    stub = await listeningStub()
    directory = temporaryDirectory('handover')
  })
  after(async () => {
    await stub?.close()
    await removeTemporaryDirectory(directory)
  })

  const edgeFor = async (t: TestContext, config: Layer = {}, runner?: string[]) => {
    const edge = await LoneEdge.start(stub.port, config, runner)
    t.after(async () => {
      const [, pid] = /handed_over pid=(\d+)/.exec(await edge.log()) ?? []
      if (pid !== undefined) {
        process.kill(Number(pid), 'SIGTERM')
        await until('the end of the new process', () => !processExists(Number(pid)))
      }
      await edge.stop()
    })
    return edge
  }

  test('SIGHUP reads the file again, and starts another process only if the program was replaced', async (t) => {
    const program = `${directory}/imapfleet-edge.mjs`
    // Without the arguments that the first process gets besides, to run under this program.
    await writeFile(
      program,
      `if (process.argv[2] !== '--config') process.argv.splice(2, 2)\nawait import(${JSON.stringify(programFiles.edge)})\n`,
    )
    const edge = await edgeFor(t, {}, [node, program])
    await edge.reload({ log: { level: 'info' } })
    assert.doesNotMatch(await edge.log(), /handover/)

    const session = await entered(edge)
    await appendFile(program, '// A newer version.\n')
    edge.edge.process.send('SIGHUP')
    await edge.logged(/handed_over/)
    assert.ok(await isServed(session))
    assert.equal((await session.command('LOGOUT')).status, 'OK')
    assert.deepEqual(await edge.edge.process.exited(), { code: 0, signal: null })
    assert.ok(await isServed(await entered(edge)))
  })

  test('the new process takes keys that need a restart: a listener that is new, and one that is gone', async (t) => {
    const [gone, added] = [await freePort(), await freePort()]
    const edge = await edgeFor(t, { listeners: { gone: { address: '127.0.0.1', port: gone } } })
    const early = await edge.client({ port: gone })
    const document = JSON.parse(await edge.configText()) as { listeners: Record<string, Layer> }
    delete document.listeners['gone']
    const listeners = { added: { address: '127.0.0.1', port: added } }
    await writeFile(edge.edge.configFile, JSON.stringify(mergeLayers(document, { listeners })))
    edge.edge.process.send('SIGUSR2')
    await edge.logged(/handed_over/)
    assert.equal((await (await edge.client({ port: added })).command('LOGIN bob secret')).status, 'OK')
    await assert.rejects(edge.client({ port: gone }), /ECONNREFUSED|closed/)
    assert.equal((await early.command('LOGIN alice secret')).status, 'OK')
    assert.equal((await early.command('LOGOUT')).status, 'OK')
    assert.deepEqual(await edge.edge.process.exited(), { code: 0, signal: null })
  })

  test('after the time limit, sessions of the old process end as in a stop', async (t) => {
    const edge = await edgeFor(t, { process: { handoverTimeoutMs: 0, drainTimeoutMs: 0 } })
    const session = await entered(edge)
    edge.edge.process.send('SIGUSR2')
    assert.match(await session.rest(), /^\* BYE Server is stopping/)
    assert.deepEqual(await edge.edge.process.exited(), { code: 0, signal: null })
    assert.ok(await isServed(await entered(edge)))
  })

  test('systemd is told the new main process, and a handover of which it cannot be told does not happen', async (t) => {
    const socket = `${directory}/notify`
    const edge = await edgeFor(t, {}, ['env', `NOTIFY_SOCKET=${socket}`])
    edge.edge.process.send('SIGUSR2')
    await edge.logged(/handover_failed .*systemd could not be told/)
    assert.match((await edge.stats()).problems?.join() ?? '', /^a new process could not take over: systemd/)
    const session = await entered(edge)

    const script = `import socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind('${socket}')
import os; os.chmod('${socket}', 0o777)
print('bound', flush=True)
while True: print(s.recv(4096).decode(), flush=True)`
    const systemd = startCommand('python3', ['-c', script])
    t.after(async () => {
      systemd.child.kill('SIGKILL')
      await systemd.ended
    })
    await until('the socket', () => systemd.stdout().includes('bound'))
    edge.edge.process.send('SIGUSR2')
    const [, pid] = /pid=(\d+)/.exec(await edge.logged(/handed_over/)) ?? []
    await until('its pid', () => systemd.stdout().includes(`MAINPID=${pid}\n`))
    assert.ok(await isServed(session))
    await session.command('LOGOUT')
    assert.deepEqual(await edge.edge.process.exited(), { code: 0, signal: null })
  })

  test('a stop during the handover ends both processes', async (t) => {
    const edge = await LoneEdge.start(stub.port)
    t.after(() => edge.stop())
    edge.edge.process.send('SIGUSR2')
    edge.edge.process.send('SIGTERM')
    assert.deepEqual(await edge.edge.process.exited(), { code: 0, signal: null })
    await assert.rejects(edge.client(), /ECONNREFUSED|closed/)
  })
})
