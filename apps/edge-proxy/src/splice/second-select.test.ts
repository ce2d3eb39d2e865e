import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beginAhead, knowledgeOf, type WebmailPage } from './ahead.test-support.ts'

/** The client looks for new mail in INBOX, and selects its own mailbox again. */
const page: WebmailPage = [
  ['SELECT Work', '3 EXISTS', 'OK [UIDVALIDITY 1] x', 'OK [UIDNEXT 13] x'],
  ['UID SEARCH ALL', 'SEARCH 10 11 12'],
  ['STATUS INBOX (UNSEEN)', 'STATUS INBOX (UNSEEN 0)'],
  ['SELECT INBOX', '2 EXISTS', 'OK [UIDVALIDITY 2] x', 'OK [UIDNEXT 9] x'],
  ['UID SEARCH ALL', 'SEARCH 5 6'],
  ['SELECT Work', '3 EXISTS', 'OK [UIDVALIDITY 1] x', 'OK [UIDNEXT 13] x'],
  ['NAMESPACE'],
]
const all = 'UID SEARCH RETURN (ALL) ALL'
const count = 'STATUS INBOX (UNSEEN)'
const work = '* 3 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n'
const inbox = '* 2 EXISTS\r\n* OK [UIDVALIDITY 2] x\r\n'

/** A client that has asked for the counts of INBOX. The edge has sent the commands that select INBOX and the old mailbox again. */
async function refreshing(
  offered = 'IMAP4REV1 UNSELECT ESEARCH',
  hasReport = false,
  pages = page,
  flags = '',
) {
  const knowledge = knowledgeOf(pages, pages, pages)
  knowledge.answered(6)
  const session = await beginAhead(knowledge, { offered })
  const { client, fromClient, fromServer, up, scripted } = session
  fromClient('a SELECT Work\r\n')
  assert.deepEqual(await up(3), ['SELECT Work', all, count])
  fromServer(`${flags}${work}a OK done\r\n`)
  await client.until('a OK done\r\n')
  const list = `* ESEARCH (TAG "${session.tag(all)}") UID ALL 10:12\r\n`
  fromServer(`${list}${hasReport ? '* 4 EXISTS\r\n' : ''}${session.tag(all)} OK done\r\n`)
  fromServer(`* STATUS INBOX (UNSEEN 0)\r\n${session.tag(count)} OK done\r\n`)
  fromClient('b UID SEARCH ALL\r\n')
  await client.until('b OK done\r\n')
  fromClient(`c ${count}\r\n`)
  await client.until('c OK done\r\n')
  /** The commands of the edge that arrive, with their tags. */
  const commands = async (number: number) => {
    const lines: [tag: string, text: string][] = []
    while (lines.length < number) {
      const line = await scripted.line()
      lines.push([line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)])
    }
    return lines
  }
  return { ...session, commands }
}

/** Like above, and the server has answered all commands. */
async function gone(offered?: string, inInbox = '* ESEARCH (TAG "%") UID ALL 5:6\r\n', answer = inbox) {
  const session = await refreshing(offered)
  const asked = await session.commands(6)
  assert.deepEqual(
    asked.map(([, text]) => text),
    ['UNSELECT', 'SELECT INBOX', all, 'UNSELECT', 'SELECT Work', 'NAMESPACE'],
  )
  const [leave, select, search, back, again, namespace] = asked.map(([tag]) => tag)
  session.fromServer(`${leave} OK left\r\n${answer}${select} OK [READ-WRITE] selected\r\n`)
  session.fromServer(`${inInbox.replace('%', search!)}${search} OK done\r\n${back} OK left\r\n`)
  session.fromServer(`* 3 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n${again} OK [READ-WRITE] selected\r\n`)
  session.fromServer(`* NAMESPACE NIL NIL NIL\r\n${namespace} OK done\r\n`)
  return session
}

/** Answers the commands that select a mailbox again. It now has these messages. */
async function giveBack(
  { commands, fromServer, isQuiet }: Awaited<ReturnType<typeof refreshing>>,
  texts: string[],
  answer: { select: string; uids: string; more?: string },
): Promise<void> {
  const asked = await commands(3)
  assert.deepEqual(
    asked.map(([, text]) => text),
    texts,
  )
  // The command of the client waits.
  await isQuiet()
  const [leave, select, search] = asked.map(([tag]) => tag)
  fromServer(`* 9 EXISTS\r\n* 1 EXPUNGE\r\n${leave} OK left\r\n${answer.select}${select} OK selected\r\n`)
  const found = `* ESEARCH (TAG "${search}") UID${answer.uids}\r\n`
  fromServer(`${found}${answer.more ?? ''}${search} OK done\r\n`)
}

const backToWork = ['UNSELECT', 'SELECT Work', all]

test('a client that looks into INBOX and selects its mailbox again gets held answers', async () => {
  const { client, fromClient, isQuiet } = await gone()
  fromClient('d SELECT INBOX\r\n')
  assert.equal(await client.until('selected\r\n'), `${inbox}d OK [READ-WRITE] selected\r\n`)
  fromClient('e UID SEARCH ALL\r\n')
  assert.equal(await client.until('done\r\n'), '* SEARCH 5 6\r\ne OK done\r\n')
  fromClient('f SELECT Work\r\n')
  assert.equal(await client.until('selected\r\n'), `${work}f OK [READ-WRITE] selected\r\n`)
  fromClient('g NAMESPACE\r\n')
  assert.equal(await client.until('done\r\n'), '* NAMESPACE NIL NIL NIL\r\ng OK done\r\n')
  await isQuiet()
})

test('flags that are no longer expected do not prevent leaving the mailbox', async () => {
  const flags = 'UID FETCH 10:* (UID FLAGS ENVELOPE)'
  const listing: WebmailPage = [...page.slice(0, 2), ['NAMESPACE'], [flags.replace('*', '12')]]
  const knowledge = knowledgeOf(page, page, listing)
  knowledge.answered(6)
  const { client, fromClient, fromServer, up, tag, isQuiet } = await beginAhead(knowledge)
  fromClient('a SELECT Work\r\n')
  assert.deepEqual(await up(5), ['SELECT Work', all, 'NAMESPACE', count, flags])
  fromServer(`${work}a OK done\r\n* ESEARCH (TAG "${tag(all)}") UID ALL 10:12\r\n${tag(all)} OK done\r\n`)
  fromServer(`* 1 FETCH (UID 10 FLAGS () ENVELOPE ())\r\n${tag(flags)} OK done\r\n`)
  fromServer(`* NAMESPACE NIL NIL NIL\r\n${tag('NAMESPACE')} OK done\r\n`)
  fromServer(`* STATUS INBOX (UNSEEN 0)\r\n${tag(count)} OK done\r\n`)
  fromClient('b UID SEARCH ALL\r\n')
  await client.until('b OK done\r\n')
  await isQuiet()
  fromClient(`c ${count}\r\n`)
  await client.until('c OK done\r\n')
  assert.deepEqual((await up(6)).slice(0, 5), ['UNSELECT', 'SELECT INBOX', all, 'UNSELECT', 'SELECT Work'])
})

test('if the server announces that a SELECT closes a mailbox, the client gets CLOSED', async () => {
  const { client, fromClient } = await gone('IMAP4REV1 UNSELECT ESEARCH QRESYNC')
  fromClient('d SELECT INBOX\r\n')
  const told = await client.until('selected\r\n')
  assert.equal(told, `* OK [CLOSED] Previous mailbox closed.\r\n${inbox}d OK [READ-WRITE] selected\r\n`)
})

test('a client that stays in its mailbox gets all changes of it, and then its answer', async () => {
  const session = await gone()
  const { client, fromClient, fromServer, up, isQuiet } = session
  fromClient('d UID FETCH 12 (UID FLAGS)\r\n')
  await giveBack(session, backToWork, {
    select: '* 3 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n',
    uids: ' ALL 10,12:13',
  })
  assert.deepEqual(await up(1), ['UID FETCH 12 (UID FLAGS)'])
  fromServer('* 2 FETCH (UID 12 FLAGS ())\r\nd OK done\r\n')
  assert.equal(
    await client.until('done\r\n'),
    '* 2 EXPUNGE\r\n* 3 EXISTS\r\n* 2 FETCH (UID 12 FLAGS ())\r\nd OK done\r\n',
  )
  await isQuiet()
})

test('a client that stays in its mailbox is told its keywords, and that it is now read-only', async () => {
  const session = await gone()
  const { client, fromClient, fromServer, commands, up } = session
  fromClient('d NOOP\r\n')
  const [leave, select, search] = (await commands(3)).map(([tag]) => tag)
  const keywords = '* FLAGS (\\Seen new)\r\n* OK [PERMANENTFLAGS (\\Seen new)] x\r\n'
  fromServer(`${leave} OK left\r\n${keywords}* 3 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n`)
  fromServer(`${select} OK [READ-ONLY] selected\r\n`)
  fromServer(`* ESEARCH (TAG "${search}") UID ALL 10:12\r\n${search} OK done\r\n`)
  assert.deepEqual(await up(1), ['NOOP'])
  fromServer('d OK done\r\n')
  assert.equal(
    await client.until('d OK done\r\n'),
    `${keywords}* OK [READ-ONLY] The mailbox is read-only\r\nd OK done\r\n`,
  )
})

test('a SELECT that the server may not understand leaves the mailbox of the client selected', async () => {
  for (const text of ['SELECT (a', 'SELECT INBOX (x)', 'EXAMINE']) {
    const session = await gone()
    const { client, fromClient, fromServer, up } = session
    fromClient(`d ${text}\r\n`)
    await giveBack(session, backToWork, { select: work, uids: ' ALL 10:12' })
    assert.deepEqual(await up(1), [text])
    fromServer('d BAD what\r\n')
    assert.equal(await client.until('what\r\n'), 'd BAD what\r\n')
  }
})

test('a client that stays in its mailbox gets the lists of flags that have changed', async () => {
  const [flags, permanent] = ['* FLAGS (\\Seen $old)\r\n', '* OK [PERMANENTFLAGS (\\Seen \\*)] x\r\n']
  const session = await refreshing('IMAP4REV1 UNSELECT ESEARCH', false, page, flags + permanent)
  const { client, fromClient, fromServer, up, commands } = session
  const asked = await commands(6)
  const [leave, select, search, back, again, namespace] = asked.map(([tag]) => tag)
  fromServer(`${leave} OK left\r\n* FLAGS (\\Seen)\r\n${inbox}${select} OK selected\r\n`)
  fromServer(`* ESEARCH (TAG "${search}") UID ALL 5:6\r\n${search} OK done\r\n${back} OK left\r\n`)
  fromServer(`${work}${again} OK selected\r\n* NAMESPACE NIL NIL NIL\r\n${namespace} OK done\r\n`)
  fromClient('d UID FETCH 12 (UID FLAGS)\r\n')
  const changed = '* FLAGS (\\Seen $old $new)\r\n'
  await giveBack(session, backToWork, { select: `${changed}${permanent}${work}`, uids: ' ALL 10:12' })
  await up(1)
  fromServer('* 3 FETCH (UID 12 FLAGS ($new))\r\nd OK done\r\n')
  assert.equal(await client.until('done\r\n'), `${changed}* 3 FETCH (UID 12 FLAGS ($new))\r\nd OK done\r\n`)
})

test('reports after the list of messages follow the changes found from the list', async () => {
  const session = await gone()
  const { client, fromClient, fromServer, up } = session
  fromClient('d NOOP\r\n')
  const select = '* 4 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* 4 EXPUNGE\r\n'
  await giveBack(session, backToWork, { select, uids: ' ALL 10:12', more: '* 1 EXPUNGE\r\n' })
  assert.deepEqual(await up(1), ['NOOP'])
  fromServer('d OK done\r\n')
  assert.equal(await client.until('done\r\n'), '* 1 EXPUNGE\r\nd OK done\r\n')
})

test('a command by sequence number is refused until the client has been told of expunged messages', async () => {
  const session = await gone()
  const { client, fromClient, fromServer, up, isQuiet } = session
  fromClient('d FETCH 3 (FLAGS)\r\n')
  await giveBack(session, backToWork, {
    select: '* 2 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n',
    uids: ' ALL 11:12',
  })
  assert.match(await client.line(), /^d NO \[EXPUNGEISSUED\]/)
  await isQuiet()
  fromClient('e NOOP\r\n')
  await up(1)
  fromServer('e OK done\r\n')
  assert.equal(await client.until('done\r\n'), '* 1 EXPUNGE\r\ne OK done\r\n')
})

test('a client that stays in INBOX gets INBOX back', async () => {
  const session = await gone()
  const { client, fromClient, fromServer, up } = session
  fromClient('d SELECT INBOX\r\n')
  await client.until('selected\r\n')
  fromClient('e NOOP\r\n')
  await giveBack(session, ['UNSELECT', 'SELECT INBOX', all], {
    select: '* 1 EXISTS\r\n* OK [UIDVALIDITY 2] x\r\n',
    uids: ' ALL 6',
  })
  await up(1)
  fromServer('e OK done\r\n')
  assert.equal(await client.until('done\r\n'), '* 1 EXPUNGE\r\ne OK done\r\n')
})

test('answers held before a mailbox was selected again are not given', async () => {
  const session = await gone()
  const { client, fromClient, fromServer, up } = session
  fromClient('d SELECT INBOX\r\ne UID SEARCH ALL\r\n')
  await client.until('e OK done\r\n')
  fromClient('f UID SEARCH SUBJECT x\r\n')
  const select = '* 2 EXISTS\r\n* OK [UIDVALIDITY 2] x\r\n'
  await giveBack(session, ['UNSELECT', 'SELECT INBOX', all], { select, uids: ' ALL 6:7' })
  assert.deepEqual((await up(1))[0], 'UID SEARCH SUBJECT x')
  fromServer('* SEARCH 6\r\nf OK done\r\n')
  assert.equal(
    await client.until('f OK done\r\n'),
    '* SEARCH 6\r\n* 1 EXPUNGE\r\n* 2 EXISTS\r\nf OK done\r\n',
  )
  fromClient('g UID SEARCH ALL\r\n')
  assert.match((await up(1))[0]!, /^UID SEARCH (?:RETURN \(ALL\) )?ALL$/)
})

test('if the client selects another mailbox or logs out, its old mailbox is not selected again', async () => {
  const session = await gone()
  session.fromClient('d SELECT Sent\r\n')
  assert.deepEqual(await session.up(2), ['UNSELECT', 'SELECT Sent'])
  session.fromServer(`* 7 EXISTS\r\n${session.tag('UNSELECT')} OK left\r\n* 1 EXISTS\r\nd OK done\r\n`)
  assert.equal(await session.client.until('done\r\n'), '* 1 EXISTS\r\nd OK done\r\n')

  const other = await gone()
  other.fromClient('d LOGOUT\r\n')
  assert.match(await other.client.until('d OK'), /^\* BYE/)
})

test('an answer to SELECT is not given if the mailbox changed before it was left again', async () => {
  for (const inInbox of [
    '* 3 EXISTS\r\n* ESEARCH (TAG "%") UID ALL 5:7\r\n',
    '* ESEARCH (TAG "%") UID ALL 5:6\r\n* 3 EXISTS\r\n',
    // A message is gone, but its EXPUNGE has not been sent.
    '* ESEARCH (TAG "%") UID ALL 5\r\n',
  ]) {
    const { client, fromClient, fromServer, up, tag } = await gone(undefined, inInbox)
    fromClient('d SELECT INBOX\r\n')
    assert.deepEqual((await up(2)).slice(0, 2), ['UNSELECT', 'SELECT INBOX'])
    fromServer(`${tag('UNSELECT')} OK left\r\n* 3 EXISTS\r\nd OK done\r\n`)
    assert.equal(await client.until('done\r\n'), '* 3 EXISTS\r\nd OK done\r\n')
  }
})

test('a session ends if its mailbox cannot be restored exactly', async () => {
  const answers = [
    // Another mailbox now has this name.
    { select: '* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n', uids: ' ALL 10:12' },
    // The list does not have all messages.
    { select: '* 3 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n', uids: ' ALL 10:11' },
    // A new message precedes the last one that the client knows.
    { select: '* 4 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n', uids: ' ALL 9:12' },
  ]
  for (const answer of answers) {
    const session = await gone()
    session.fromClient('d NOOP\r\n')
    await giveBack(session, backToWork, answer)
    assert.match(await session.client.line(), /^\* BYE /)
    assert.deepEqual((await session.ended).ending, { kind: 'mailbox-lost' })
  }
  const session = await gone()
  session.fromClient('d NOOP\r\n')
  const [leave, select, search] = (await session.commands(3)).map(([tag]) => tag)
  session.fromServer(`${leave} OK left\r\n${select} NO gone\r\n${search} BAD nothing selected\r\n`)
  assert.match(await session.client.line(), /^\* BYE /)
  assert.deepEqual((await session.ended).ending, { kind: 'mailbox-lost' })
})

test('a mailbox is not left ahead if it could not be restored', async () => {
  const withoutEsearch = await beginAhead(knowledgeOf(page, page, page), { offered: 'IMAP4REV1 UNSELECT' })
  withoutEsearch.fromClient('a SELECT Work\r\n')
  await withoutEsearch.up(2)
  withoutEsearch.fromServer(`${work}a OK done\r\n`)
  await withoutEsearch.client.until('a OK done\r\n')
  withoutEsearch.fromClient(`b ${count}\r\n`)
  assert.deepEqual((await withoutEsearch.up(1))[0], count)
  await withoutEsearch.isQuiet()

  // The list of its messages is older than a report.
  const { isQuiet } = await refreshing(undefined, true)
  await isQuiet()
})

test('a mailbox is not left ahead after the client has received flags', async () => {
  const flags = 'UID FETCH 10 (UID FLAGS ENVELOPE)'
  const reading: WebmailPage = [...page.slice(0, 2), [flags, '1 FETCH (UID 10 FLAGS ())'], ...page.slice(2)]
  const knowledge = knowledgeOf(reading, reading, reading)
  knowledge.answered(6)
  const { client, fromClient, fromServer, up, tag, isQuiet } = await beginAhead(knowledge)
  fromClient('a SELECT Work\r\n')
  await up(4)
  fromServer(`${work}a OK done\r\n* ESEARCH (TAG "${tag(all)}") UID ALL 10:12\r\n${tag(all)} OK done\r\n`)
  fromServer(`* 1 FETCH (UID 10 FLAGS () ENVELOPE ())\r\n${tag(flags)} OK done\r\n`)
  fromServer(`* STATUS INBOX (UNSEEN 0)\r\n${tag(count)} OK done\r\n`)
  await client.until('a OK done\r\n')
  for (const [at, text] of ['UID SEARCH ALL', flags, count].entries()) {
    fromClient(`b${at} ${text}\r\n`)
    await client.until(`b${at} OK done\r\n`)
  }
  await isQuiet()
})

test('a mailbox is not left ahead if it has recent messages, which would not be recent any more', async () => {
  const session = await refreshing(undefined, false, page, '* 1 RECENT\r\n')
  await session.isQuiet()
})

test('no message is recent in a mailbox that the edge has left again', async () => {
  const { client, fromClient } = await gone(undefined, undefined, `${inbox}* 2 RECENT\r\n`)
  fromClient('d SELECT INBOX\r\n')
  assert.match(await client.until('selected\r\n'), /^\* 0 RECENT\r\n/m)
})

test('a mailbox is not left ahead after the client has saved the result of a search in it', async () => {
  for (const search of ['UID SEARCH RETURN (SAVE) FLAGGED', 'ESEARCH IN (selected) RETURN (SAVE) FLAGGED'])
    await staysAfter(search)
})

test('a mailbox is not left ahead after the client has asked which flags have changed, or searched by flags', async () => {
  for (const asked of [
    'UID FETCH 1:* (FLAGS) (CHANGEDSINCE 7)',
    'UID SEARCH RETURN (COUNT) KEYWORD a TEXT x',
  ])
    await staysAfter(asked)
})

test('a mailbox is not left ahead after the client got the answer to a search by flags, or while it is expected to ask', async () => {
  const unseen = 'UID SEARCH RETURN (ALL) UNSEEN'
  const searching: WebmailPage = [...page.slice(0, 2), ['UID SEARCH UNSEEN', 'SEARCH 10'], ...page.slice(2)]
  const knowledge = knowledgeOf(searching, searching, searching)
  knowledge.answered(6)
  const { client, fromClient, fromServer, up, tag, isQuiet } = await beginAhead(knowledge)
  fromClient('a SELECT Work\r\n')
  assert.deepEqual(await up(4), ['SELECT Work', all, unseen, count])
  fromServer(`${work}a OK done\r\n* ESEARCH (TAG "${tag(all)}") UID ALL 10:12\r\n${tag(all)} OK done\r\n`)
  fromServer(`* ESEARCH (TAG "${tag(unseen)}") UID ALL 10\r\n${tag(unseen)} OK done\r\n`)
  fromServer(`* STATUS INBOX (UNSEEN 1)\r\n${tag(count)} OK done\r\n`)
  await client.until('a OK done\r\n')
  for (const [at, text] of ['UID SEARCH ALL', 'UID SEARCH UNSEEN', count].entries()) {
    fromClient(`b${at} ${text}\r\n`)
    await client.until(`b${at} OK done\r\n`)
    await isQuiet()
  }
})

/** Asserts that the edge does not leave the mailbox after this command of the client. */
async function staysAfter(command: string): Promise<void> {
  const pages: WebmailPage = [...page.slice(0, 2), [command], ...page.slice(2)]
  const knowledge = knowledgeOf(pages, pages, pages)
  knowledge.answered(6)
  const { client, fromClient, fromServer, up, tag, isQuiet } = await beginAhead(knowledge)
  fromClient('a SELECT Work\r\n')
  await up(2)
  fromServer(`${work}a OK done\r\n* ESEARCH (TAG "${tag(all)}") UID ALL 10:12\r\n${tag(all)} OK done\r\n`)
  fromClient('b UID SEARCH ALL\r\n')
  await client.until('b OK done\r\n')
  fromClient(`c ${command}\r\n`)
  while ((await up(1))[0] !== command);
  fromServer('c OK done\r\n')
  await client.until('c OK done\r\n')
  fromClient(`d ${count}\r\n`)
  assert.deepEqual(await up(1), [count])
  await isQuiet()
}

test('a mailbox is not left ahead after the client has set flags, because the server would tell it if others change them', async () => {
  await staysAfter('UID STORE 10 +FLAGS.SILENT (\\Seen)')
})

test('an answer to SELECT is given only after the server has left its mailbox again', async () => {
  const { client, fromClient, fromServer, commands, isQuiet } = await refreshing()
  const [leave, select, search, back] = (await commands(6)).map(([tag]) => tag)
  fromClient('d SELECT INBOX\r\n')
  fromServer(`${leave} OK left\r\n${inbox}${select} OK [READ-WRITE] selected\r\n`)
  await isQuiet()
  fromServer(`* ESEARCH (TAG "${search}") UID ALL 5:6\r\n${search} OK done\r\n${back} OK left\r\n`)
  assert.equal(await client.until('selected\r\n'), `${inbox}d OK [READ-WRITE] selected\r\n`)
})

test('reports about a mailbox that is about to be left are sent only after it is selected again', async () => {
  const session = await beginAhead(knowledgeOf(page, page, page))
  const { client, fromClient, fromServer, up, tag } = session
  fromClient('a SELECT Work\r\n')
  await up(3)
  const list = `* ESEARCH (TAG "${tag(all)}") UID ALL 10:12\r\n`
  fromServer(`${work}a OK done\r\n${list}${tag(all)} OK done\r\n`)
  await client.until('a OK done\r\n')
  fromClient(`b UID SEARCH ALL\r\nc ${count}\r\n`)
  await client.until('b OK done\r\n')
  const inFlight = tag(count)
  const ahead = await up(3)
  assert.deepEqual(ahead, ['UNSELECT', 'SELECT INBOX', all])
  fromServer(`* STATUS INBOX (UNSEEN 0)\r\n* 1 EXPUNGE\r\n${inFlight} OK done\r\n`)
  assert.equal(await client.until('done\r\n'), '* STATUS INBOX (UNSEEN 0)\r\nc OK done\r\n')
  fromServer(`${tag('UNSELECT')} OK left\r\n${inbox}${tag('SELECT INBOX')} OK selected\r\n`)
  fromServer(`* ESEARCH (TAG "${tag(all)}") UID ALL 5:6\r\n${tag(all)} OK done\r\n`)
  fromClient('d NOOP\r\n')
  // Another SELECT may have been in flight.
  const rest: [tag: string, text: string][] = []
  while (rest.at(-1)?.[1] !== all) {
    const line = await session.scripted.line()
    rest.push([line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)])
  }
  assert.deepEqual(
    rest.slice(-3).map(([, text]) => text),
    backToWork,
  )
  for (const [at, text] of rest) {
    const uids = `* ESEARCH (TAG "${at}") UID ALL 11:12\r\n`
    const data =
      text === all ? uids : text === 'SELECT Work' ? '* 2 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n' : ''
    fromServer(`${data}${at} OK done\r\n`)
  }
  await up(1)
  fromServer('d OK done\r\n')
  assert.equal(await client.until('d OK done\r\n'), '* 1 EXPUNGE\r\nd OK done\r\n')
})

test('after an anomaly, the client gets no reports about a mailbox that it has not selected', async () => {
  const { client, fromServer, fromClient, commands } = await gone()
  fromServer('X unexpected\r\n* 7 EXISTS\r\n* 3 FETCH (UID 6 FLAGS ())\r\n')
  fromClient('d LOGOUT\r\n')
  assert.equal((await client.until('d OK')).includes('EXISTS'), false)
  void commands
})

test('if the server refuses UNSELECT, the answers behind it are not used', async () => {
  const { client, fromClient, fromServer, commands } = await refreshing()
  const [leave, select, search, back, select2, namespace] = (await commands(6)).map(([tag]) => tag)
  fromServer(`${leave} NO not now\r\n* 4 EXISTS\r\n${inbox}${select} OK selected\r\n${search} OK done\r\n`)
  fromServer(`${back} OK left\r\n${work}${select2} OK selected\r\n${namespace} OK done\r\n`)
  fromClient('d SELECT INBOX\r\n')
  const [[again, text] = ['', '']] = await commands(1)
  assert.equal(text, 'UNSELECT')
  assert.equal((await commands(1))[0]![1], 'SELECT INBOX')
  fromServer(`${again} OK left\r\n* 2 EXISTS\r\nd OK done\r\n`)
  assert.equal(await client.until('d OK done\r\n'), '* 2 EXISTS\r\nd OK done\r\n')
})

const sort = 'UID SORT (DATE) UTF-8 ALL'
for (const [asked, answer] of [
  [all, (tag: string) => `* ESEARCH (TAG "${tag}") UID ALL 5:6\r\n`],
  [sort, () => '* SORT 5 6\r\n'],
] as const)
  test(`if the server has not left the mailbox before, its answer to ${asked} does not reach the client`, async () => {
    const inInbox: WebmailPage[number] = asked === sort ? [sort, 'SORT 5 6'] : page[4]!
    const session = await refreshing(undefined, false, page.with(4, inInbox))
    const { client, fromServer, commands } = session
    const lines = await commands(3)
    assert.deepEqual(
      lines.map(([, text]) => text),
      ['UNSELECT', 'SELECT INBOX', asked],
    )
    const [leave, select, question] = lines.map(([tag]) => tag)
    fromServer(`${inbox}${answer(question!)}${select} OK selected\r\n${leave} OK left\r\n`)
    assert.equal((await session.ended).ending.kind, 'reply-overdue')
    assert.match(await client.until('\r\n'), /^\* BYE \[UNAVAILABLE\] /)
  })
