import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untilTrue } from '../pool/pool.test-support.ts'
import { cleanHandBack } from '../server/scripted-server.test-support.ts'
import { begin, wires, beginOn } from './session.test-support.ts'

test('LOGOUT ends the session, and the server gets nothing', async () => {
  const { client, connection, ended, scripted, counters } = await begin()
  client.say('bye1 LOGOUT\r\n')
  const { ending, handBack } = await ended
  assert.deepEqual(ending, { kind: 'logout', tag: 'bye1' })
  assert.deepEqual(handBack, cleanHandBack(connection))
  assert.equal(scripted.unread, '')
  assert.equal(counters.round_trips_saved_total.value, 1)
})

test('a pipelined LOGOUT waits until every earlier reply has been delivered, in order', async () => {
  const { client, ended, scripted } = await begin()
  client.say('a NOOP\r\nb FETCH 1 BODY[]\r\nc LOGOUT\r\nd NOOP\r\n')
  await scripted.until('b FETCH 1 BODY[]\r\n')
  scripted.say('* 1 FETCH (BODY[] {10}\r\n')
  await client.until('{10}\r\n')
  scripted.say('c OK no\r\n\n)\r\nb OK done\r\n')
  await client.until('b OK done\r\n')
  let isOver = false
  void ended.then(() => (isOver = true))
  scripted.say('* 2 EXISTS\r\n')
  await client.until('* 2 EXISTS\r\n')
  assert.equal(isOver, false)
  scripted.say('a OK done\r\n')
  assert.deepEqual((await ended).ending, { kind: 'logout', tag: 'c' })
  await client.until('a OK done\r\n')
  assert.equal(scripted.unread, '')
})

test('the edge’s own commands go before early data, which may end within a literal', async () => {
  const { scripted } = await begin({ ids: ['ID NIL'], early: 'a APPEND x {5+}\r\nab' })
  assert.match(await scripted.line(), /^E\w+ ID NIL$/)
  assert.equal(await scripted.until('ab'), 'a APPEND x {5+}\r\nab')
})

test('LOGOUT does not wait for the edge’s own commands', async () => {
  const { client, ended, scripted } = await begin({ ids: ['ID NIL'] })
  const [tag] = (await scripted.line()).split(' ')
  client.say('a LOGOUT\r\n')
  const { ending, handBack } = await ended
  assert.equal(ending.kind, 'logout')
  assert.deepEqual(handBack.unanswered, [tag])
})

test('bytes that a client sends after its LOGOUT do not reach the server', async () => {
  const { fromClient, ended, scripted, connection } = await begin()
  fromClient('a LOGOUT\r\nb NOOP\r\nc APPEND x {1+}\r\nz')
  const { handBack } = await ended
  assert.deepEqual(handBack, cleanHandBack(connection))
  connection.link.write('marker\r\n')
  assert.equal(await scripted.line(), 'marker')
})

test('a client that closes its sending side after LOGOUT gets every earlier reply', async () => {
  const { client, ended, scripted } = await begin()
  client.say('a NOOP\r\nb LOGOUT\r\n')
  client.socket.end()
  await scripted.until('a NOOP\r\n')
  scripted.say('* 1 EXISTS\r\na OK done\r\n')
  assert.deepEqual((await ended).ending, { kind: 'logout', tag: 'b' })
  assert.equal(await client.until('a OK done\r\n'), '* 1 EXISTS\r\na OK done\r\n')
})

test('a client that closes its sending side after LOGOUT is disconnected if the earlier reply does not come in time', async () => {
  const { client, ended } = await begin({ pool: { resetTimeoutMs: 100, replyTimeoutMs: 600_000 } })
  client.say('a NOOP\r\nb LOGOUT\r\n')
  client.socket.end()
  const { ending, handBack } = await ended
  assert.deepEqual(ending, { kind: 'client-gone', end: 'closed-by-peer' })
  assert.deepEqual(handBack.unanswered, ['a'])
})

test('a session whose client closes its sending side after other commands ends when they are answered', async () => {
  const { client, ended, scripted } = await begin({ pool: { resetTimeoutMs: 600_000 } })
  client.say('a NOOP\r\nb CAPABILITY\r\n')
  client.socket.end()
  await scripted.until('a NOOP\r\n')
  scripted.say('a OK done\r\n')
  assert.deepEqual((await ended).ending, { kind: 'client-gone', end: 'closed-by-peer' })
  assert.match(await client.until('b OK Completed\r\n'), /^a OK done\r\n\* CAPABILITY /)
})

test('a session ends if its client closes its sending side without a LOGOUT', async () => {
  for (const text of ['', 'a NOOP\r\n', 'a APPEND x {5}\r\n']) {
    const { client, ended } = await begin()
    if (text !== '') client.say(text)
    client.socket.end()
    assert.deepEqual((await ended).ending, { kind: 'client-gone', end: 'closed-by-peer' })
  }
})

test('only the peer that disconnects first is reported', async () => {
  const reset = await begin()
  reset.client.socket.resetAndDestroy()
  assert.deepEqual((await reset.ended).ending, { kind: 'client-gone', end: 'reset-by-peer' })
  const scripted = await begin()
  scripted.scripted.socket.end()
  assert.deepEqual((await scripted.ended).ending, { kind: 'upstream-gone', end: 'closed-by-peer' })
  scripted.splice.end({ kind: 'idle-timeout' })
  scripted.clientLink.handler.onEnd('closed-by-peer')
  assert.deepEqual(scripted.endings, [{ kind: 'upstream-gone', end: 'closed-by-peer' }])
})

test('a client that reads an answer slowly is active, and one that does not read is idle', async () => {
  let now = 0
  const { client, clientLink, splice, fromClient, fromServer } = await begin({ now: () => now })
  client.socket.pause()
  fromClient('a FETCH 1 BODY.PEEK[]\r\n')
  const bytes = Buffer.alloc(1_048_576, 'x')
  fromServer(`* 1 FETCH (BODY[] {${16 * bytes.length}}\r\n`)
  for (let count = 0; count < 16; count++) fromServer(bytes)
  const isActive = () => {
    now += 1_000
    splice.lookForProgress()
    return splice.lastActiveAt === now
  }
  assert.ok(isActive())
  await untilTrue(() => !isActive())
  const waiting = clientLink.queuedBytes
  assert.ok(waiting > bytes.length)
  client.socket.resume()
  await untilTrue(() => clientLink.queuedBytes < waiting)
  assert.ok(isActive())
  await untilTrue(() => clientLink.queuedBytes === 0)
  assert.ok(!isActive())
})

test('a peer that disconnected before the session began ends it immediately', async () => {
  const upstreamGone = await wires()
  upstreamGone.serverLink.close()
  assert.equal((await beginOn(upstreamGone).ended).ending.kind, 'upstream-gone')
  const clientGone = await wires()
  clientGone.clientLink.close()
  assert.equal((await beginOn(clientGone).ended).ending.kind, 'client-gone')
})

test('bytes that the client sent after its login are the first of the session', async () => {
  const { scripted } = await begin({ early: 'a NOOP\r\nb SEL' })
  assert.equal(await scripted.line(), 'a NOOP')
  assert.equal(scripted.unread, '')
})

test('an answer of the edge is never sent within a response of the server', async () => {
  const { client, fromClient, fromServer } = await begin()
  fromClient('a NOOP\r\n')
  fromServer('a OK done\r\n* 1 FETCH (BODY[] {6}\r\nabc')
  await client.until('abc')
  fromClient('b CAPABILITY\r\n')
  fromServer('def')
  assert.equal(await client.until('def'), 'def')
  fromServer(')\r\n')
  assert.equal(await client.line(), ')')
  assert.match(await client.line(), /^\* CAPABILITY IMAP4rev1/)
  assert.equal(await client.line(), 'b OK Completed')
})

test('an ID is answered immediately with the server’s ID, and sent to the server in one line, whatever its form', async () => {
  const { client, scripted, fromClient } = await begin({
    prepare: ({ identification }) => identification.learnAfterLogin('* ID ("name" "Ho\\"rde" "os" nil)\r\n'),
  })
  fromClient('a ID ("name" "Ho\\"rde" "x" NIL)\r\n')
  const told = await client.until('a OK Completed\r\n')
  assert.equal(told, '* ID ("name" "Ho\\"rde" "os" NIL)\r\na OK Completed\r\n')
  assert.match(await scripted.line(), /^\S{20,} ID \("name" "Ho\\"rde" "x" NIL\)$/)
})

test('until the edge knows the server’s ID, the server answers ID, also with a refusal', async () => {
  const { client, scripted, fromClient } = await begin()
  for (const reply of [
    'a NO who?\r\n',
    '* ID ("name" {7}\r\nDovecot)\r\na OK done\r\n',
    '* ID ("name" "Dovecot")\r\na OK done\r\n',
  ]) {
    fromClient('a ID NIL\r\n')
    assert.equal(await scripted.line(), 'a ID NIL')
    scripted.say(reply)
    assert.equal(await client.until(reply), reply)
  }
  fromClient('a ID NIL\r\n')
  assert.equal(await client.until('OK Completed\r\n'), '* ID ("name" "Dovecot")\r\na OK Completed\r\n')
  const [tag] = (await scripted.line()).split(' ')
  // The server was upgraded. Its last answer is used.
  scripted.say(`* ID ("name" "Dovecot" "version" "3")\r\n${tag} OK done\r\n`)
  fromClient('b NOOP\r\n')
  assert.equal(await scripted.line(), 'b NOOP')
  fromClient('c ID NIL\r\n')
  scripted.say('b OK done\r\n')
  assert.equal(
    await client.until('c OK Completed\r\n'),
    'b OK done\r\n* ID ("name" "Dovecot" "version" "3")\r\nc OK Completed\r\n',
  )
})

test('with a mailbox selected, the server answers ID: it may report an EXPUNGE, which needs a command in progress', async () => {
  const { client, scripted, fromClient, fromServer } = await begin({
    prepare: ({ identification }) => identification.learnAfterLogin('* ID ("name" "Dovecot")\r\n'),
  })
  fromClient('a SELECT INBOX\r\n')
  assert.equal(await scripted.line(), 'a SELECT INBOX')
  fromServer('* 3 EXISTS\r\na OK [READ-WRITE] done\r\n')
  fromClient('b ID NIL\r\n')
  assert.equal(await scripted.line(), 'b ID NIL')
  const reply = '* ID ("name" "Dovecot")\r\n* 1 EXPUNGE\r\nb OK done\r\n'
  fromServer(reply)
  assert.equal(await client.until('b OK done\r\n'), `* 3 EXISTS\r\na OK [READ-WRITE] done\r\n${reply}`)
  fromClient('c UNSELECT\r\n')
  fromServer('c OK done\r\n')
  fromClient('d ID NIL\r\n')
  assert.equal(
    await client.until('OK Completed\r\n'),
    'c OK done\r\n* ID ("name" "Dovecot")\r\nd OK Completed\r\n',
  )
})

test('an ID that the edge cannot parse passes like any other command', async () => {
  for (const odd of ['a ID (x)\r\n', 'a ID ("name" {5}\r\n']) {
    const { scripted, fromClient } = await begin()
    fromClient(odd)
    assert.equal(await scripted.until('\r\n'), odd)
  }
})

test('a command with a literal is never answered by the edge: the literal would be read as commands', async () => {
  for (const command of ['CAPABILITY', 'ID', 'LOGOUT', 'ENABLE']) {
    const { scripted, fromClient } = await begin()
    fromClient(`a ${command} {14+}\r\nb DELETE x\r\nc \r\nd NOOP\r\n`)
    assert.equal(await scripted.until('d NOOP\r\n'), `a ${command} {14+}\r\nb DELETE x\r\nc \r\nd NOOP\r\n`)
  }
})

test('after the reply to a command of the edge, replies and waiting commands continue as before', async () => {
  const { client, scripted, fromClient, fromServer, ended } = await begin({
    ids: ['ID NIL'],
    pool: { answerId: false },
  })
  const [tag] = (await scripted.line()).split(' ')
  fromServer(`* ID NIL\r\n${tag} OK done\r\n`)
  fromClient('a ID NIL\r\n')
  fromServer('* ID ("name" "theirs")\r\na OK done\r\n')
  fromClient('b CAPABILITY\r\nc LOGOUT\r\n')
  assert.equal(await client.line(), '* ID ("name" "theirs")')
  await client.until('b OK Completed\r\n')
  assert.equal((await ended).ending.kind, 'logout')
})

test('idle time counts from the last byte of either side', async () => {
  let now = 1000
  const { splice, fromClient, fromServer } = await begin({ now: () => now })
  assert.equal(splice.lastActiveAt, 1000)
  now = 2000
  fromClient('a NOOP\r\n')
  assert.equal(splice.lastActiveAt, 2000)
  now = 3000
  fromServer('* 1 EXISTS\r\n')
  assert.equal(splice.lastActiveAt, 3000)
})

test('the bytes of each side are counted', async () => {
  const { counters, fromClient, fromServer } = await begin()
  fromClient('a NOOP\r\n')
  fromServer('* 1 EXISTS\r\na OK\r\n')
  assert.deepEqual([counters.client_bytes_total.value, counters.upstream_bytes_total.value], [8, 18])
})

test('a tap gets both directions as they pass, and only the verb of a refused command', async () => {
  const { splice, fromClient, fromServer } = await begin()
  const seen: string[] = []
  splice.tap = {
    fromClient: (bytes) => void seen.push(`C ${bytes.toString('latin1')}`),
    fromServer: (bytes) => void seen.push(`S ${bytes.toString('latin1')}`),
    remark() {},
  }
  fromClient('a NOOP\r\n')
  fromServer('a OK done\r\n')
  fromClient('b LOGIN joe hunter2\r\nc AUTHENTICATE PLAIN AGpvZQBodW50ZXIy\r\nd LOGIN joe {7}\r\n')
  const text = seen.join('')
  assert.ok(text.startsWith('C a NOOP\r\nS a OK done\r\nC b LOGIN\r\nS b BAD'), text)
  assert.ok(!/hunter2|joe|AGpv/.test(text), text)
})

test('after a BYE of the server the edge sends none', async () => {
  const { client, fromClient, scripted, ended } = await begin()
  // The connection already had another reason against reuse.
  fromClient('a SEARCH TEXT {4+}\r\nx\r\n')
  scripted.say('* BYE [ALERT] going down at noon\r\n')
  scripted.socket.end()
  assert.equal((await ended).ending.kind, 'upstream-gone')
  client.socket.end()
  assert.equal(await client.line(), '* BYE [ALERT] going down at noon')
  assert.equal(client.unread, '')
})

test('a session is between commands only if no command or response is incomplete or unanswered', async () => {
  const { splice, fromClient, fromServer } = await begin()
  const phaseAfter = (client: string, server: string) => {
    fromClient(client)
    fromServer(server)
    return splice.phase
  }
  assert.equal(splice.phase, 'between-commands')
  assert.equal(phaseAfter('', '* 1 FETCH (BODY[] {5}\r\nab'), 'working')
  assert.equal(phaseAfter('', 'cde)\r\n'), 'between-commands')
  assert.equal(phaseAfter('a NO', ''), 'working')
  assert.equal(phaseAfter('OP\r\n', ''), 'working')
  assert.equal(phaseAfter('', 'a OK done\r\n'), 'between-commands')
  assert.equal(phaseAfter('b APPEND x {3+}\r\nab', ''), 'working')
  assert.equal(phaseAfter('c\r\n', 'b OK done\r\n'), 'between-commands')
  assert.equal(phaseAfter('c IDLE\r\n', ''), 'working')
  assert.equal(phaseAfter('', '+ idling\r\n'), 'idling')
  assert.equal(phaseAfter('', '* 1 FETCH (BODY[] {5}\r\n'), 'working')
  assert.equal(phaseAfter('', 'abcde)\r\n'), 'idling')
  assert.equal(phaseAfter('DO', ''), 'working')
  assert.equal(phaseAfter('NE\r\n', 'c OK done\r\n'), 'between-commands')
})
