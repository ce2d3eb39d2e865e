import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Credentials } from '../imap/credentials.ts'
import { wire } from '../imap/cuts.test-support.ts'
import { dialedLink, type Peer } from '../net/wire.test-support.ts'
import { authenticate, type MasterLogin } from './authenticate.ts'
import { Exchange, type ExchangeFailure, type Reply } from './exchange.ts'

const joe: Credentials = {
  user: wire('joe'),
  authzid: wire(''),
  secret: wire('secret'),
  mechanism: 'command',
}

async function begin(offered: string, credentials: Partial<Credentials>, master?: MasterLogin) {
  const { link, peer } = await dialedLink()
  const reply = authenticate(new Exchange(link), offered.split(' '), { ...joe, ...credentials }, master)
  return { reply, scripted: peer }
}

/** Reads a command and separates its tag. */
async function command(scripted: Peer): Promise<{ tag: string; text: string }> {
  const [tag, ...words] = (await scripted.line()).split(' ')
  return { tag: tag!, text: words.join(' ') }
}

async function finish(scripted: Peer, tag: string, reply: Promise<Reply | ExchangeFailure>): Promise<void> {
  scripted.say(`${tag} OK Logged in\r\n`)
  assert.equal((await reply).kind, 'reply')
  assert.equal(scripted.unread, '')
}

const base64 = (text: string) => wire(text).toString('base64')

test('a LOGIN is sent as LOGIN, with quotes around strings that are not atoms', async () => {
  const forms: [Partial<Credentials>, string][] = [
    [{}, 'LOGIN joe secret'],
    [{ user: wire('joe@example.com'), secret: wire('a b"c\\') }, 'LOGIN joe@example.com "a b\\"c\\\\"'],
    [{ secret: wire('NIL') }, 'LOGIN joe "NIL"'],
    [{ secret: wire('{5}') }, 'LOGIN joe "{5}"'],
    [{ secret: wire('') }, 'LOGIN joe ""'],
  ]
  for (const [credentials, text] of forms) {
    const { reply, scripted } = await begin('IMAP4REV1 AUTH=PLAIN SASL-IR', credentials)
    const asked = await command(scripted)
    assert.equal(asked.text, text)
    await finish(scripted, asked.tag, reply)
  }
})

test('a string that cannot be quoted is sent as a literal, after the server’s continuation request', async () => {
  const { reply, scripted } = await begin('IMAP4REV1', { user: wire('J\xf6rg'), secret: wire('p\xe4\xdf') })
  const { tag, text } = await command(scripted)
  assert.equal(text, 'LOGIN {4}')
  assert.equal(scripted.unread, '')
  scripted.say('+ go on\r\n')
  assert.equal(await scripted.line(), 'J\xf6rg {3}')
  assert.equal(scripted.unread, '')
  scripted.say('* OK still here\r\n+ go on\r\n')
  assert.equal(await scripted.line(), 'p\xe4\xdf')
  await finish(scripted, tag, reply)
})

test('if the server has LITERAL+ or LITERAL-, a short literal does not wait', async () => {
  for (const offered of ['LITERAL+', 'LITERAL-']) {
    const { reply, scripted } = await begin(`IMAP4REV1 ${offered}`, { secret: wire('\xe4') })
    const { tag, text } = await command(scripted)
    assert.equal(text, 'LOGIN joe {1+}')
    assert.equal(await scripted.line(), '\xe4')
    await finish(scripted, tag, reply)
  }
  const long = await begin('IMAP4REV1 LITERAL-', { secret: wire('\xe4'.repeat(4097)) })
  assert.equal((await command(long.scripted)).text, 'LOGIN joe {4097}')
})

test('after a literal was refused, no more data is sent', async () => {
  const { reply, scripted } = await begin('IMAP4REV1', { secret: wire('\xe4') })
  const { tag } = await command(scripted)
  scripted.say(`${tag} NO [AUTHENTICATIONFAILED] no\r\n`)
  assert.deepEqual(await reply, {
    kind: 'reply',
    status: 'NO',
    text: '[AUTHENTICATIONFAILED] no',
    untagged: [],
  })
  assert.equal(scripted.unread, '')
})

test('an AUTHENTICATE is sent as AUTHENTICATE, in one line if the server has SASL-IR', async () => {
  const offers = 'IMAP4REV1 AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER'
  const token = wire('user=joe\x01auth=Bearer abc\x01\x01')
  const cases: [Partial<Credentials>, string, string][] = [
    [{ mechanism: 'PLAIN' }, 'PLAIN', base64('\0joe\0secret')],
    [{ mechanism: 'PLAIN', authzid: wire('boss') }, 'PLAIN', base64('boss\0joe\0secret')],
    [{ mechanism: 'XOAUTH2', secret: token }, 'XOAUTH2', token.toString('base64')],
    [{ mechanism: 'OAUTHBEARER', secret: token }, 'OAUTHBEARER', token.toString('base64')],
  ]
  for (const [credentials, mechanism, message] of cases) {
    const short = await begin(`${offers} SASL-IR`, credentials)
    const asked = await command(short.scripted)
    assert.equal(asked.text, `AUTHENTICATE ${mechanism} ${message}`)
    await finish(short.scripted, asked.tag, short.reply)

    const long = await begin(offers, credentials)
    const begun = await command(long.scripted)
    assert.equal(begun.text, `AUTHENTICATE ${mechanism}`)
    long.scripted.say('+ \r\n')
    assert.equal(await long.scripted.line(), message)
    await finish(long.scripted, begun.tag, long.reply)
  }
})

test('a message that makes a line too long waits for the server, also if it has SASL-IR', async () => {
  const offers = 'IMAP4REV1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER'
  for (const mechanism of ['PLAIN', 'XOAUTH2', 'OAUTHBEARER'] as const)
    for (const length of [600, 4000]) {
      const secret = wire('x'.repeat(length))
      const { reply, scripted } = await begin(offers, { mechanism, secret })
      const message = (mechanism === 'PLAIN' ? wire(`\0joe\0${secret.toString()}`) : secret).toString(
        'base64',
      )
      const { tag, text } = await command(scripted)
      if (length === 600) assert.equal(text, `AUTHENTICATE ${mechanism} ${message}`)
      else {
        assert.equal(text, `AUTHENTICATE ${mechanism}`)
        assert.equal(scripted.unread, '')
        scripted.say('+ \r\n')
        assert.equal(await scripted.line(), message)
      }
      await finish(scripted, tag, reply)
    }
})

test('no command line is longer than 1000 bytes: a long name or password is a literal', async () => {
  const [user, secret] = ['u'.repeat(900), 'p"'.repeat(400)]
  const { reply, scripted } = await begin('IMAP4REV1', { user: wire(user), secret: wire(secret) })
  const { tag, text } = await command(scripted)
  assert.equal(text, 'LOGIN {900}')
  scripted.say('+ \r\n')
  assert.equal(await scripted.line(), `${user} {800}`)
  scripted.say('+ \r\n')
  assert.equal(await scripted.line(), secret)
  await finish(scripted, tag, reply)
})

test('the mechanism LOGIN is used if the server offers no other', async () => {
  for (const mechanism of ['command', 'PLAIN', 'LOGIN'] as const) {
    const { reply, scripted } = await begin('IMAP4REV1 SASL-IR LOGINDISABLED AUTH=LOGIN', { mechanism })
    const { tag, text } = await command(scripted)
    assert.equal(text, 'AUTHENTICATE LOGIN')
    scripted.say(`+ ${base64('Username:')}\r\n`)
    assert.equal(await scripted.line(), base64('joe'))
    scripted.say(`+ ${base64('Password:')}\r\n`)
    assert.equal(await scripted.line(), base64('secret'))
    await finish(scripted, tag, reply)
  }
})

test('a challenge that explains a refusal is acknowledged and kept for the client, and the secret is not sent again', async () => {
  const challenge = base64('{"status":"401"}')
  for (const [mechanism, acknowledged] of [
    ['XOAUTH2', ''],
    ['OAUTHBEARER', base64('\x01')],
  ] as const) {
    const { reply, scripted } = await begin(`IMAP4REV1 SASL-IR AUTH=${mechanism}`, { mechanism })
    const { tag } = await command(scripted)
    scripted.say(`+ ${challenge}\r\n`)
    assert.equal(await scripted.line(), acknowledged)
    scripted.say(`${tag} NO [AUTHENTICATIONFAILED] expired\r\n`)
    const text = '[AUTHENTICATIONFAILED] expired'
    assert.deepEqual(await reply, { kind: 'reply', status: 'NO', text, untagged: [], challenge })
  }
})

test('LOGIN and AUTHENTICATE replace each other only if the server offers just one of them', async () => {
  const cases: [string, Partial<Credentials>, string][] = [
    ['IMAP4REV1 SASL-IR AUTH=PLAIN LOGINDISABLED', {}, `AUTHENTICATE PLAIN ${base64('\0joe\0secret')}`],
    ['IMAP4REV1 SASL-IR', { mechanism: 'PLAIN' }, 'LOGIN joe secret'],
    ['IMAP4REV1 SASL-IR AUTH=PLAIN', { mechanism: 'LOGIN' }, 'LOGIN joe secret'],
  ]
  for (const [offered, credentials, text] of cases) {
    const { reply, scripted } = await begin(offered, credentials)
    const asked = await command(scripted)
    assert.equal(asked.text, text)
    await finish(scripted, asked.tag, reply)
  }
})

test('no password is sent to a server that disables LOGIN before TLS', async () => {
  for (const mechanism of ['command', 'PLAIN', 'LOGIN'] as const) {
    const { reply, scripted } = await begin('IMAP4REV1 STARTTLS LOGINDISABLED', { mechanism })
    assert.equal((await reply).kind, 'failed')
    assert.equal(await scripted.finished(), '')
  }
})

test('a master user logs in for every user, with its own password', async () => {
  const master = { user: 'proxy', password: 'master-secret' }
  for (const mechanism of ['command', 'PLAIN', 'LOGIN'] as const) {
    const { reply, scripted } = await begin('IMAP4REV1 SASL-IR AUTH=PLAIN', { mechanism }, master)
    const { tag, text } = await command(scripted)
    assert.equal(text, `AUTHENTICATE PLAIN ${base64('joe\0proxy\0master-secret')}`)
    await finish(scripted, tag, reply)
  }
  const other = { mechanism: 'PLAIN', authzid: wire('jane') } as const
  const { reply, scripted } = await begin('IMAP4REV1 SASL-IR AUTH=PLAIN', other, master)
  const { tag, text } = await command(scripted)
  assert.equal(text, `AUTHENTICATE PLAIN ${base64('jane\0proxy\0master-secret')}`)
  await finish(scripted, tag, reply)
})
