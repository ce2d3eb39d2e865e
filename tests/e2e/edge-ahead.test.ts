/**
 * Answer-ahead on real Dovecot: clients that ask what Roundcube 1.6 asks, through a distant edge and directly, while another
 * client changes the mailbox between and within the pages. What they get must be the same.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { DelayingRelay } from '../support/delaying-relay.ts'
import { LoneEdge } from '../support/lone-edge.ts'
import { MailServer } from '../support/mail-server.ts'
import { MailSocket, type ImapAnswer } from '../support/mail-socket.ts'
import { until } from '../support/until.ts'

const password = 'far away'
const headers = 'UID RFC822.SIZE FLAGS INTERNALDATE BODY.PEEK[HEADER.FIELDS (DATE FROM SUBJECT)]'

/** A client that keeps the state of a mailbox as RFC 9051 tells it to. */
class Webmail {
  readonly #client: MailSocket
  #lastTag = 0
  /** Known UIDs by sequence number. */
  uids: (number | undefined)[] = []

  private constructor(client: MailSocket) {
    this.#client = client
  }

  static async at(port: number, user: string): Promise<Webmail> {
    const webmail = new Webmail(await MailSocket.greeted({ port }))
    await webmail.ask(`LOGIN ${user} "${password}"`)
    return webmail
  }

  async ask(command: string): Promise<ImapAnswer> {
    const answer = await this.#exchange(command)
    assert.equal(answer.status, 'OK', `${command}: ${answer.text}`)
    return answer
  }

  /** Searches for the last message by its number. It may have been expunged meanwhile (RFC 5530, EXPUNGEISSUED). */
  async searchLast(): Promise<ImapAnswer> {
    for (;;) {
      const answer = await this.#exchange(`UID SEARCH ${this.uids.length}`)
      if (answer.status === 'OK') return answer
      assert.match(answer.text, /^\[EXPUNGEISSUED\]/)
      await this.ask('NOOP')
    }
  }

  async #exchange(command: string): Promise<ImapAnswer> {
    const tag = `A${String(++this.#lastTag).padStart(4, '0')}`
    this.#client.send(`${tag} ${command}\r\n`)
    const answer = await this.#client.reply(tag)
    if (command.startsWith('SELECT')) this.uids = []
    for (const line of answer.untagged) this.#follow(line, command)
    return answer
  }

  #follow(line: string, command: string): void {
    const [, number, word] = /^\* (\d+) (EXISTS|EXPUNGE|FETCH)/.exec(line) ?? []
    const index = Number(number) - 1
    if (word === 'EXISTS') {
      assert.ok(Number(number) >= this.uids.length, `${line} after ${this.uids.length} in ${command}`)
      this.uids.length = Number(number)
    } else if (word === 'EXPUNGE') {
      assert.ok(index < this.uids.length, line)
      this.uids.splice(index, 1)
    } else if (word === 'FETCH') {
      const uid = Number(/\bUID (\d+)/.exec(line)?.[1] ?? NaN)
      assert.ok(index < this.uids.length, `${line} of ${this.uids.length}`)
      if (Number.isNaN(uid)) return
      const known = this.uids[index]
      assert.ok(known === undefined || known === uid, `${line}, but it was UID ${known}`)
      this.uids[index] = uid
    }
  }

  async leave(): Promise<void> {
    this.#client.send('Z LOGOUT\r\n')
    await this.#client.rest()
    await this.#client.close()
  }
}

const found = ({ untagged }: ImapAnswer): number[] =>
  untagged.flatMap((line) => (line.startsWith('* SEARCH') ? line.split(' ').slice(2).map(Number) : []))

/** What the page shows: without what depends on when exactly other clients did something. */
type View = string[]
const dataOf = (answer: ImapAnswer): View =>
  answer.untagged.filter((line) => !/^\* (OK|\d+ RECENT)/.test(line))

async function listPage(webmail: Webmail): Promise<View> {
  const status = await webmail.ask('STATUS INBOX (MESSAGES UNSEEN)')
  const select = await webmail.ask('SELECT INBOX')
  const last = await webmail.searchLast()
  const uids = found(await webmail.ask('UID SEARCH ALL UNDELETED'))
  const page = uids.slice(-10)
  const list = await webmail.ask(`UID FETCH ${page.join(',')} (${headers})`)
  return [...[status, select, last].flatMap(dataOf), uids.join(), ...dataOf(list)]
}

async function showPage(webmail: Webmail, uid: number): Promise<View> {
  const answers = [
    await webmail.ask('SELECT INBOX'),
    await webmail.ask(`UID FETCH ${uid} (UID RFC822.SIZE FLAGS BODYSTRUCTURE)`),
    await webmail.ask('LIST (SUBSCRIBED) "" "*"'),
    await webmail.ask(`UID FETCH ${uid} (BODY.PEEK[1])`),
  ]
  return answers.flatMap(dataOf)
}

/** UID of a message that nothing expunges. */
const oldest = 1

suite('answer-ahead, on Dovecot 10 ms away', () => {
  let server: MailServer
  let relay: DelayingRelay
  let edge: LoneEdge
  before(async () => {
    const users = ['teacher', 'still', 'moving'].map((user) => ({ user, password, mailbox: 'demo' as const }))
    server = await MailServer.start(users)
    relay = await DelayingRelay.to(server.port, 10)
    edge = await LoneEdge.start(relay.port, { upstreams: { main: { ahead: 'on' } } })
    for (let times = 0; times < 6; times++) await pages(edge.edge.imapPort, 'teacher')
  })
  after(async () => {
    await edge?.stop()
    relay?.close()
    await server?.stop()
  })

  /** Two pages; what they show. */
  async function pages(port: number, user: string): Promise<View[]> {
    const views: View[] = []
    const list = await Webmail.at(port, user)
    views.push(await listPage(list))
    await list.leave()
    const show = await Webmail.at(port, user)
    // Others may have expunged all messages of the page by the end of it.
    views.push(await showPage(show, list.uids.findLast((uid) => uid !== undefined) ?? oldest))
    await show.leave()
    return views
  }

  const used = async () => (await edge.stats()).counters['ahead_used_total{upstream="main"}'] ?? 0

  test('pages of a mailbox that does not change show what the server shows', async () => {
    // The first session takes \Recent from the messages.
    await pages(server.port, 'still')
    const direct = await pages(server.port, 'still')
    const usedBefore = await used()
    for (let times = 0; times < 4; times++) assert.deepEqual(await pages(edge.edge.imapPort, 'still'), direct)
    assert.ok((await used()) - usedBefore >= 16, `${(await used()) - usedBefore} answers used`)
  })

  test('pages of a mailbox that others change all the while are views that the server has given', async () => {
    const stop = new AbortController()
    const changing = changeMailbox(server.port, 'moving', stop.signal)
    const usedBefore = await used()
    for (let times = 0; times < 15; times++) await pages(edge.edge.imapPort, 'moving')
    stop.abort()
    await changing
    await pages(server.port, 'moving')
    const direct = await pages(server.port, 'moving')
    assert.deepEqual(await pages(edge.edge.imapPort, 'moving'), direct)
    assert.ok((await used()) > usedBefore)
    assert.equal((await edge.log()).match(/ahead_paused/g), null)
  })

  test('what is held for a client that asks nothing more is released', async () => {
    const released = async () =>
      (await edge.stats()).counters['ahead_dropped_bytes_total{upstream="main"}'] ?? 0
    const atFirst = await released()
    const silent = await Webmail.at(edge.edge.imapPort, 'still')
    await silent.ask('STATUS INBOX (MESSAGES UNSEEN)')
    await until('the release', async () => (await released()) > atFirst)
    const list = await listPage(silent)
    await silent.leave()
    const direct = await Webmail.at(server.port, 'still')
    assert.deepEqual(list, await listPage(direct))
    await direct.leave()
  })

  test('it ends with a reload, also for sessions that run', async () => {
    const asked = async () => (await edge.stats()).counters['ahead_asked_total{upstream="main"}'] ?? 0
    const atFirst = await asked()
    await pages(edge.edge.imapPort, 'still')
    assert.ok((await asked()) > atFirst)
    // Its login may have asked behind a barrier.
    const running = await Webmail.at(edge.edge.imapPort, 'still')
    await edge.reload({ upstreams: { main: { ahead: 'off' } } })
    const atReload = await asked()
    await listPage(running)
    assert.equal(await asked(), atReload)
    await running.leave()
  })
})

/** Another client of the user, which adds and expunges messages and changes flags. */
async function changeMailbox(port: number, user: string, signal: AbortSignal): Promise<void> {
  const other = await Webmail.at(port, user)
  await other.ask('SELECT INBOX')
  const mail = 'Subject: new\r\n\r\nnew\r\n'
  while (!signal.aborted) {
    await other.ask(`APPEND INBOX {${mail.length}+}\r\n${mail}`)
    const uids = found(await other.ask('UID SEARCH ALL'))
    await other.ask(`UID STORE ${uids[uids.length >> 1]} +FLAGS.SILENT (\\Flagged)`)
    if (uids.length > 20) {
      await other.ask(`UID STORE ${uids[3]} +FLAGS.SILENT (\\Deleted)`)
      await other.ask('EXPUNGE')
    }
  }
  await other.leave()
}
