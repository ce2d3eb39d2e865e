/** The correct answers of the stub server: enough IMAP for webmail, and a few commands for tests. */
import type { StubCommand, StubConnection } from './stub-connection.ts'
import type { StubImapd } from './stub-imapd.ts'
import { indexesOf, type StubMail } from './stub-mail.ts'

type Answer = (command: StubCommand, connection: StubConnection, stub: StubImapd) => void | Promise<void>

/** Answers one command correctly, untagged data first. */
export async function answer(
  command: StubCommand,
  connection: StubConnection,
  stub: StubImapd,
): Promise<void> {
  const verb = answers[command.name]
  const needsLogin = !['CAPABILITY', 'NOOP', 'ID', 'LOGIN', 'AUTHENTICATE', 'LOGOUT'].includes(command.name)
  if (!verb) return done(command, connection, 'BAD Unknown command')
  if (needsLogin && connection.user === undefined) return done(command, connection, 'BAD Please log in first')
  notice(command, connection)
  if (/^(?:NOOP|CHECK|FETCH|STORE|SEARCH|UID .*|STATUS|LIST|APPEND)$/.test(command.name)) {
    connection.send(connection.news)
    connection.news = ''
  }
  await verb(command, connection, stub)
}

function done(command: StubCommand, connection: StubConnection, text: string): void {
  connection.send(`${command.tag} ${text}\r\n`)
}

/** Commands that also enable an extension for the rest of the connection (RFC 7162 3.1, RFC 5267 4.3). */
function notice(command: StubCommand, connection: StubConnection): void {
  const all = command.args.join(' ').toUpperCase()
  if (/FETCH|STORE|SEARCH|SELECT|EXAMINE|STATUS/.test(command.name)) {
    if (/CONDSTORE|HIGHESTMODSEQ|CHANGEDSINCE|UNCHANGEDSINCE|\bMODSEQ\b/.test(all))
      connection.lasting.add('CONDSTORE')
  }
  if (command.name.endsWith('SEARCH') && /RETURN \([^)]*\bUPDATE\b/.test(all))
    connection.lasting.add('UPDATE')
}

const capability: Answer = (command, connection, stub) => {
  connection.send(`* CAPABILITY ${stub.capabilitiesOf(connection).join(' ')}\r\n`)
  done(command, connection, 'OK Capability completed.')
}

const login: Answer = (command, connection, stub) => {
  const [name = '', secret = ''] = command.args
  stub.admit(command, connection, name, secret)
}

const authenticate: Answer = async (command, connection, stub) => {
  const ask = async (prompt: string) => {
    connection.send(`+ ${prompt}\r\n`)
    return connection.line()
  }
  const mechanism = command.args[0]?.toUpperCase()
  const initial = command.args[1]
  const plain = (text: string) => Buffer.from(text, 'base64').toString('latin1')
  if (mechanism === 'LOGIN') {
    const name = plain(await ask(Buffer.from('Username:').toString('base64')))
    return stub.admit(
      command,
      connection,
      name,
      plain(await ask(Buffer.from('Password:').toString('base64'))),
    )
  }
  if (!['PLAIN', 'XOAUTH2', 'OAUTHBEARER'].includes(mechanism ?? ''))
    return done(command, connection, 'NO Unsupported authentication mechanism.')
  const response = plain(initial === '=' ? '' : (initial ?? (await ask(''))))
  if (mechanism === 'PLAIN') {
    const [authorization = '', name = '', secret = ''] = response.split('\0')
    return stub.admit(command, connection, name, secret, authorization || undefined)
  }
  const fields = response.split('\x01')
  const name = /^(?:n,a=|user=)([^,]*)/.exec(fields[0] ?? '')?.[1] ?? ''
  const token = fields.find((field) => field.startsWith('auth=Bearer '))?.slice('auth=Bearer '.length) ?? ''
  if (stub.accounts.get(name)?.secret !== token)
    await ask(Buffer.from('{"status":"401","schemes":"bearer"}').toString('base64'))
  stub.admit(command, connection, name, token)
}

const select: Answer = (command, connection, stub) => {
  const name = command.args[0] ?? ''
  const mails = stub.boxOf(connection, name)
  connection.selected = mails ? name : undefined
  connection.isReadOnly = command.name === 'EXAMINE'
  connection.news = ''
  if (!mails) return done(command, connection, 'NO [NONEXISTENT] No such mailbox')
  connection.send('* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n')
  connection.send('* OK [PERMANENTFLAGS (\\Deleted \\Seen \\*)] Flags permitted.\r\n')
  connection.send(`* ${mails.length} EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 7] UIDs valid\r\n`)
  connection.send(`* OK [UIDNEXT ${stub.uidNextOf(connection)}] Predicted next UID\r\n`)
  done(command, connection, `OK [${command.name === 'SELECT' ? 'READ-WRITE' : 'READ-ONLY'}] Selected.`)
}

const fetch: Answer = (command, connection, stub) => {
  const mails = connection.selected && stub.boxOf(connection, connection.selected)
  if (!mails) return done(command, connection, 'BAD No mailbox selected')
  const uids = command.name.startsWith('UID')
  const wanted = indexesOf(command.args[0] ?? '', uids ? stub.uidNextOf(connection) : mails.length)
  for (const [index, mail] of mails.entries())
    if (wanted.includes(uids ? mail.uid - 1 : index))
      sendMail(connection, index + 1, mail, command.args.join(' '))
  done(command, connection, 'OK Fetch completed.')
}

function sendMail(connection: StubConnection, number: number, mail: StubMail, items: string): void {
  const flags = `UID ${mail.uid} FLAGS (${[...mail.flags].join(' ')})`
  if (!/BODY/i.test(items)) return connection.send(`* ${number} FETCH (${flags})\r\n`)
  connection.send(`* ${number} FETCH (${flags} BODY[] {${mail.body.length}}\r\n`)
  connection.send(mail.body)
  connection.send(')\r\n')
}

const store: Answer = (command, connection, stub) => {
  const mails = connection.selected && stub.boxOf(connection, connection.selected)
  if (!mails) return done(command, connection, 'BAD No mailbox selected')
  for (const index of indexesOf(command.args[0] ?? '', mails.length)) {
    const mail = mails[index]
    for (const [flag] of command.args.join(' ').matchAll(/\\\w+/g)) mail?.flags.add(flag)
    if (mail) sendMail(connection, index + 1, mail, '')
  }
  done(command, connection, 'OK Store completed.')
}

function expunge(connection: StubConnection, stub: StubImapd): void {
  const mails = (connection.selected && stub.boxOf(connection, connection.selected)) || []
  for (let index = mails.length - 1; index >= 0; index--)
    if (mails[index]?.flags.has('\\Deleted')) mails.splice(index, 1)
}

const append: Answer = (command, connection, stub) => {
  const box = command.args[0] ?? ''
  if (!stub.boxOf(connection, box)) return done(command, connection, 'NO [TRYCREATE] No such mailbox')
  for (const body of command.literals) stub.accountOf(connection)?.append(box, body)
  done(command, connection, 'OK Append completed.')
}

const idle: Answer = async (command, connection) => {
  connection.idling = true
  connection.send('+ idling\r\n')
  const line = await connection.line()
  connection.idling = false
  done(command, connection, line.toUpperCase() === 'DONE' ? 'OK Idle completed.' : 'BAD Expected DONE.')
}

const answers: Record<string, Answer> = {
  CAPABILITY: capability,
  LOGIN: login,
  AUTHENTICATE: authenticate,
  SELECT: select,
  EXAMINE: select,
  FETCH: fetch,
  'UID FETCH': fetch,
  STORE: store,
  APPEND: append,
  IDLE: idle,
  NOOP: (command, connection) => done(command, connection, 'OK NOOP completed.'),
  CHECK: (command, connection) => done(command, connection, 'OK Check completed.'),
  ID: (command, connection) => {
    connection.send('* ID ("name" "stub")\r\n')
    done(command, connection, 'OK ID completed.')
  },
  UNSELECT: (command, connection) => {
    const had = connection.selected !== undefined
    connection.selected = undefined
    done(command, connection, had ? 'OK Unselect completed.' : 'BAD No mailbox selected')
  },
  CLOSE: (command, connection, stub) => {
    if (!connection.isReadOnly) expunge(connection, stub)
    connection.selected = undefined
    done(command, connection, 'OK Close completed.')
  },
  SEARCH: (command, connection) => {
    connection.send('* SEARCH 1\r\n')
    done(command, connection, 'OK Search completed.')
  },
  LIST: (command, connection, stub) => {
    const literally = (command.args[1] ?? '').replace(/[\\^$.|?+()[\]{}]/g, '\\$&')
    const pattern = new RegExp(`^${literally.replace(/[*%]/g, '.*')}$`)
    for (const name of stub.accountOf(connection)?.boxes.keys() ?? [])
      if (pattern.test(name)) connection.send(`* LIST (\\HasNoChildren) "/" ${name}\r\n`)
    done(command, connection, 'OK List completed.')
  },
  STATUS: (command, connection, stub) => {
    const mails = stub.boxOf(connection, command.args[0] ?? '')
    if (!mails) return done(command, connection, 'NO [NONEXISTENT] No such mailbox')
    connection.send(`* STATUS ${command.args[0]} (MESSAGES ${mails.length})\r\n`)
    done(command, connection, 'OK Status completed.')
  },
  ENABLE: (command, connection) => {
    for (const name of command.args) connection.lasting.add(name.toUpperCase())
    connection.send(`* ENABLED ${command.args.join(' ').toUpperCase()}\r\n`)
    done(command, connection, 'OK Enabled.')
  },
  NOTIFY: (command, connection) => {
    if (command.args[0]?.toUpperCase() === 'NONE') connection.lasting.delete('NOTIFY')
    else connection.lasting.add('NOTIFY')
    done(command, connection, 'OK Notify completed.')
  },
  LANGUAGE: (command, connection) => {
    connection.lasting.add(`LANGUAGE ${command.args[0]?.toUpperCase()}`)
    connection.send(`* LANGUAGE (${command.args[0]})\r\n`)
    done(command, connection, 'OK Sprache gewechselt')
  },
  COMPARATOR: (command, connection) => {
    connection.lasting.add(`COMPARATOR ${command.args[0]}`)
    connection.send(`* COMPARATOR ${command.args[0]}\r\n`)
    done(command, connection, 'OK Comparator set.')
  },
  COMPRESS: (command, connection) => {
    connection.lasting.add('COMPRESS')
    done(command, connection, 'OK DEFLATE active')
  },
  UNAUTHENTICATE: (command, connection) => {
    connection.user = undefined
    connection.selected = undefined
    connection.lasting.clear()
    done(command, connection, 'OK Unauthenticate completed.')
  },
  LOGOUT: async (command, connection) => {
    connection.send('* BYE Logging out\r\n')
    done(command, connection, 'OK Logout completed.')
    await connection.end()
  },
  WHOAMI: (command, connection) => {
    const lasting = [...connection.lasting].join(',') || 'nothing'
    const place = `connection ${connection.number} selected ${connection.selected ?? 'nothing'}`
    connection.send(`* WHOAMI ${connection.user} ${place} lasting ${lasting}\r\n`)
    done(command, connection, 'OK That is you.')
  },
  SLOW: async (command, connection, stub) => {
    await stub.triggered(connection)
    connection.send(`* SLOW answer for ${connection.user}\r\n`)
    done(command, connection, 'OK At last.')
  },
  FLOOD: (command, connection) => {
    for (let line = 1; line <= Math.min(Number(command.args[0] ?? 1), 200_000); line++)
      connection.send(`* ${line} EXISTS\r\n`)
    done(command, connection, 'OK Flooded.')
  },
}
