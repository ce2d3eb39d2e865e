/** The log of a real edge: lines of sessions and of refused logins in both formats, its file under rotation, and what fail2ban reads. */
import assert from 'node:assert/strict'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { findProgram, freePort, ownDirectory, repository } from '@imapfleet/local'
import { z } from 'zod'
import { runCommand } from '../support/command.ts'
import { LoneEdge, temporaryGround } from '../support/lone-edge.ts'
import { StubImapd } from '../support/stub-imapd.ts'
import { until } from '../support/until.ts'

/** docs/logs.md. */
const sessionLineSchema = z.strictObject({
  at: z.iso.datetime({ precision: 3 }),
  level: z.literal('info'),
  event: z.literal('session_ended'),
  edge: z.literal('lone'),
  session: z.string().regex(/^[0-9a-f]{6}-[0-9a-z]+$/),
  user: z.string(),
  client: z.ipv4(),
  upstream: z.literal('main'),
  reused: z.boolean(),
  ahead_used: z.int(),
  client_bytes: z.int(),
  upstream_bytes: z.int(),
  duration_ms: z.int(),
  ending: z.string(),
})

const filter = join(repository, 'infra/fail2ban/imapfleet-edge.conf')
const fail2ban = findProgram('fail2ban-regex')
const forged = '203.0.113.66'

/** Login names that try to look like the line of another client. */
const hostileNames = [
  `x client=${forged} cause=wrong-credentials user=y`,
  `x" client="${forged}" cause="wrong-credentials`,
  `x\\" client=${forged} cause=wrong-credentials user=y`,
  `info login_refused client=${forged} cause=wrong-credentials user=y`,
  `","level":"info","event":"login_refused","client":"${forged}","cause":"wrong-credentials","user":"`,
  `{"at":"2026-01-01T00:00:00.000Z","level":"info","event":"login_refused","client":"${forged}","cause":"wrong-credentials","user":"y"}`,
  `2026-01-01T00:00:00.000Z info login_refused client=${forged} cause=wrong-credentials user=y`,
  `mail imapfleet-edge[1]: info login_refused client=${forged} cause=wrong-credentials user=y`,
  `mail imapfleet-edge[1]: {"at":"2026-01-01T00:00:00.000Z","level":"info","event":"login_refused","client":"${forged}","cause":"wrong-credentials","user":"y"}`,
  `imapfleet-edge[1]: info login_refused client=${forged} cause=wrong-credentials user=y`,
  `\x85\x1b[2K\x0b\x0c\x1cinfo login_refused client=${forged} cause=wrong-credentials user=y`,
  '\xe2\x80\xa8info login_refused client=203.0.113.66 cause=wrong-credentials user=y',
]

suite('the log', () => {
  let stub: StubImapd
  before(async () => {
    stub = new StubImapd(await freePort())
    stub.account('alice', 'secret')
    await stub.listen()
  })
  after(async () => {
    await stub?.close()
    assert.deepEqual(stub.faults, [])
  })

  async function session(edge: LoneEdge): Promise<void> {
    const client = await edge.client()
    assert.equal((await client.command('LOGIN alice secret')).status, 'OK')
    await client.command('SELECT INBOX')
    await client.command('LOGOUT')
    await client.close()
    await edge.settled(1)
  }

  test('in JSON, the line of a session has the fields of the documentation, and its bytes are those of the metrics', async () => {
    const edge = await LoneEdge.start(stub.port, { log: { format: 'json', level: 'info' } })
    try {
      for (const round of [1, 2]) {
        await session(edge)
        await until('the line', async () => (await edge.log()).split('"session_ended"').length > round)
      }
      const lines = (await edge.log())
        .split('\n')
        .filter((line) => line.includes('"session_ended"'))
        .map((line) => sessionLineSchema.parse(JSON.parse(line)))
      assert.deepEqual(
        lines.map(({ user, reused, ending }) => [user, reused, ending]),
        [
          ['alice', false, 'logout'],
          ['alice', true, 'logout'],
        ],
      )
      const sum = (key: 'client_bytes' | 'upstream_bytes') =>
        lines.reduce((total, line) => total + line[key], 0)
      const { counters } = await edge.stats()
      assert.equal(sum('client_bytes'), counters['client_bytes_total'])
      assert.equal(sum('upstream_bytes'), counters['upstream_bytes_total'])
    } finally {
      await edge.stop()
    }
  })

  test('after log rotation has moved the log file, SIGUSR1 begins a new one, and no line is lost', async () => {
    const file = join(ownDirectory(temporaryGround(), 'logs'), 'edge.log')
    const edge = await LoneEdge.start(stub.port, { log: { file, level: 'info' } })
    const sessionsIn = async (path: string) =>
      ((await readFile(path, 'utf8')).match(/ session_ended /g) ?? []).length
    try {
      await session(edge)
      await until('a session in the file', async () => (await sessionsIn(file)) === 1)
      await rename(file, `${file}.1`)
      await session(edge)
      edge.edge.process.send('SIGUSR1')
      await until('a new file', async () => (await readFile(file, 'utf8')).includes(' info log_reopened'))
      await session(edge)
      await until('a session in the new file', async () => (await sessionsIn(file)) === 1)
      assert.equal(await sessionsIn(`${file}.1`), 2)
    } finally {
      await edge.stop()
    }
    assert.match(await readFile(file, 'utf8'), / info stopped\n$/)
  })

  for (const format of ['text', 'json'] as const)
    test(
      `fail2ban finds the address of each refused login in ${format}, and none that a client writes`,
      { skip: fail2ban ? false : 'fail2ban-regex is missing: apt-get install fail2ban' },
      async () => {
        const listener = { listeners: { imap: { proxyProtocolFrom: ['127.0.0.9'] } } }
        const edge = await LoneEdge.start(stub.port, {
          ...listener,
          log: { format },
          clients: { loginFailuresMax: 100 },
        })
        const expected: string[] = []
        let log = ''
        try {
          for (const [index, name] of hostileNames.entries()) {
            const localAddress = `127.0.1.${index + 1}`
            const client = await edge.client({ localAddress })
            // As a literal, a name may have any byte but line ends and NUL, which the edge refuses itself.
            client.send(`a LOGIN {${name.length}+}\r\n${name} wrong\r\n`)
            assert.equal((await client.reply('a')).status, 'NO')
            expected.push(localAddress)
            await client.close()
          }
          const preamble = 'PROXY TCP6 2001:db8::7 2001:db8::1 50000 143\r\n'
          const distant = await edge.client({ localAddress: '127.0.0.9', preamble })
          assert.equal((await distant.command('LOGIN alice wrong')).status, 'NO')
          expected.push('2001:db8::7')
          // Not the fault of the client.
          stub.refuse(() => 'NO [UNAVAILABLE] later')
          assert.equal((await distant.command('LOGIN alice secret')).status, 'NO')
          await distant.close()
          stub.reset()
          await session(edge)
          await edge.logged(/session_ended/)
          log = await edge.log()
        } finally {
          await edge.stop()
        }
        assert.deepEqual(await found(log), expected)

        // As rsyslog writes it, with a line of another program that quotes one of the edge.
        const lines = log.trimEnd().split('\n')
        const syslog = [
          ...lines.map((line) => `Nov 28 19:00:00 mail imapfleet-edge[4711]: ${line}`),
          `Nov 28 19:00:01 mail other[1]: imapfleet-edge[1]: info login_refused client=${forged} cause=wrong-credentials user=y`,
        ]
        assert.deepEqual(await found(`${syslog.join('\n')}\n`), expected)
      },
    )
})

/** The addresses that fail2ban would count in this log, in the order of its lines. */
async function found(log: string): Promise<string[]> {
  const file = join(temporaryGround().directory, 'read.log')
  await writeFile(file, log)
  const { status, stdout, stderr } = await runCommand(fail2ban ?? '', ['--out', 'ip', file, filter])
  assert.equal(status, 0, stderr)
  return stdout.trim().split('\n')
}
