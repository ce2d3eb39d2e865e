/** The command line of control: one line for each mistake. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { node, programFiles } from '@imapfleet/local'
import { runCommand } from '../support/command.ts'

suite('the command line of control', () => {
  const run = async (args: string[], env: Record<string, string | undefined> = {}) =>
    await runCommand(node, [programFiles.control, ...args], { env: { DATABASE_URL: undefined, ...env } })
  const oneLine = (text: string) => text.trim().split('\n').length === 1

  test('each mistake is reported in one line, with an exit status', async () => {
    const nowhere = { DATABASE_URL: 'postgres://x@127.0.0.1:1/x' }
    const people = {
      ...nowhere,
      PUBLIC_URL: 'https://control.example',
      OIDC_ISSUER: 'https://idp.example',
      OIDC_CLIENT_ID: 'imapfleet',
      OIDC_CLIENT_SECRET_FILE: import.meta.filename,
    }
    const cases: [string[], Record<string, string>, RegExp][] = [
      [['all'], {}, /DATABASE_URL is not set/],
      [['all'], { DATABASE_URL: 'mysql://x' }, /DATABASE_URL must be like postgres:/],
      [['all'], { ...nowhere, NATS_URL: 'localhost' }, /NATS_URL must be like nats:/],
      [['api'], { ...nowhere, NATS_TOKEN_FILE: '/nowhere' }, /NATS_TOKEN_FILE: cannot read \/nowhere/],
      [
        ['api'],
        { ...nowhere, OIDC_ISSUER: 'https://idp.example' },
        /OIDC_CLIENT_ID must be set, because OIDC_ISSUER is set/,
      ],
      [['api'], { ...people, OIDC_GROUPS_FILE: '/nowhere' }, /OIDC_GROUPS_FILE: cannot read \/nowhere/],
      [['api', '--port', '99999'], nowhere, /--port/],
      [
        ['api', '--host', '192.0.2.1', '--port', '0'],
        nowhere,
        /192\.0\.2\.1 is not an address of this machine/,
      ],
      [['nonsense'], nowhere, /unknown command 'nonsense'/],
      [['token', 'create', '--role', 'admin'], nowhere, /--name/],
      [['token', 'create', '--name', 'x', '--role', 'king'], nowhere, /viewer, operator, admin/],
      [['token', 'create', '--name', 'x', '--role', 'admin'], nowhere, /cannot make a token: .*ECONNREFUSED/],
    ]
    // With 2, systemd does not start it again: what is wrong is in the arguments, the settings or the files that they name.
    const isOfHost = /not an address|ECONNREFUSED/
    for (const [args, env, sentence] of cases) {
      const said = await run(args, env)
      assert.equal(said.status, isOfHost.test(sentence.source) ? 1 : 2, args.join(' '))
      assert.match(said.stderr, sentence)
      assert.ok(oneLine(said.stderr), said.stderr)
      assert.equal(said.stdout, '')
    }
  })
})
