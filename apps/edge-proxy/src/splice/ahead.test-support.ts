/** For tests: sessions of a user whose client program is known, with a scripted server. */
import assert from 'node:assert/strict'
import { Course } from '../ahead/course.ts'
import { Knowledge } from '../ahead/knowledge.ts'
import { readResponse } from '../ahead/responses.ts'
import { commandOf } from '../ahead/shapes.ts'
import { begin, type SessionSetup, type SplicedSession } from './session.test-support.ts'

const identity = 'main joe'

/** A command of a client, and the untagged responses to it, without `* `. */
export type WebmailPage = readonly (readonly [command: string, ...responses: string[]])[]

/** Teaches a page of a client program, as a session of this user. */
export function teach(knowledge: Knowledge, page: WebmailPage, user = identity): void {
  const facts = knowledge.user(user)
  const course = new Course(knowledge.book, facts)
  for (const [text, ...responses] of page) {
    const command = commandOf(text)
    course.advance(command)
    for (const line of responses) {
      const response = readResponse(`${line}\r\n`)
      const name = response.kind === 'status' ? response.mailbox : course.mailbox
      if (name === undefined) continue
      facts.mailbox(name).note(response)
      const isFound = response.kind === 'search' || response.kind === 'sort'
      if (isFound && command.isSearch && response.uids) facts.mailbox(name).noteFound(text, response.uids)
    }
  }
  course.end()
  knowledge.keep(user, facts)
}

/** Knowledge of a server with a round trip of 20 ms that has answered four questions at once. */
export function knowledgeOf(...pages: WebmailPage[]): Knowledge {
  const knowledge = new Knowledge()
  knowledge.answered(2)
  knowledge.measured(20, 0)
  for (const page of pages) teach(knowledge, page)
  return knowledge
}

export interface AheadSession extends SplicedSession {
  /** Reads this number of commands at the server, and returns them without their tags. */
  up: (count: number) => Promise<string[]>
  /** Asserts that no further command has been sent to the server. */
  isQuiet: () => Promise<void>
  /** The tag of the command with this text. */
  tag: (text: string) => string
}

/** A session that asks ahead with this knowledge. */
export async function beginAhead(knowledge: Knowledge, setup: SessionSetup = {}): Promise<AheadSession> {
  const session = await begin({
    offered: 'IMAP4REV1 UNSELECT ESEARCH',
    ...setup,
    ahead: { upstream: 'main', mode: 'on', roundTripMinMs: 0, knowledge, identity, ...setup.ahead },
  })
  const tags = new Map<string, string>()
  return {
    ...session,
    async up(count) {
      const texts: string[] = []
      while (texts.length < count) {
        const line = await session.scripted.line()
        const at = line.indexOf(' ')
        texts.push(line.slice(at + 1))
        tags.set(line.slice(at + 1), line.slice(0, at))
      }
      return texts
    },
    async isQuiet() {
      session.serverLink.write('mark\r\n')
      assert.equal(await session.scripted.line(), 'mark')
    },
    tag(text) {
      const tag = tags.get(text)
      assert.ok(tag !== undefined, `${text} did not reach the server`)
      return tag
    },
  }
}

export const headers = '(UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (DATE FROM)])'
/** A list page of three messages. */
export const list: WebmailPage = [
  ['STATUS INBOX (MESSAGES UNSEEN)', 'STATUS INBOX (MESSAGES 3 UNSEEN 0)'],
  ['SELECT INBOX', '3 EXISTS', '0 RECENT', 'OK [UIDNEXT 13] x'],
  ['UID SEARCH SUBJECT x', 'SEARCH 10 11 12'],
  [`UID FETCH 10:12 ${headers}`, '1 FETCH (UID 10 RFC822.SIZE 500 FLAGS ())'],
]

export const status = 'STATUS INBOX (MESSAGES UNSEEN)'
export const extendedSearch = 'UID SEARCH RETURN (ALL) SUBJECT x'
export const fetch = `UID FETCH 10:12 ${headers}`
export const statusAnswer = '* STATUS INBOX (MESSAGES 3 UNSEEN 0)\r\n'
export const selectAnswer = '* 3 EXISTS\r\n* 0 RECENT\r\n* OK [UIDNEXT 13] x\r\n'
export const message =
  '* 1 FETCH (UID 10 RFC822.SIZE 500 FLAGS () BODY[HEADER.FIELDS (DATE FROM)] {4}\r\nab\r\n)\r\n'

/** Facts of a message page. */
export const structure = 'UID FETCH 10 (UID RFC822.SIZE FLAGS BODYSTRUCTURE)'
export const structureAnswer = '* 1 FETCH (UID 10 RFC822.SIZE 500 FLAGS () BODYSTRUCTURE ())\r\n'

/** A session with the questions of a list page in flight, whose STATUS is answered. */
export async function listing(setup: Parameters<typeof beginAhead>[1] = {}, knowledge = knowledgeOf(list)) {
  const session = await beginAhead(knowledge, setup)
  session.fromClient(`a ${status}\r\n`)
  await session.up(4)
  session.fromServer(`${statusAnswer}a OK done\r\n`)
  await session.client.until('a OK done\r\n')
  /** Answers a question. */
  const ok = (text: string, data = '') => session.fromServer(`${data}${session.tag(text)} OK done\r\n`)
  const esearch = (uids: string) => `* ESEARCH (TAG "${session.tag(extendedSearch)}") UID${uids}\r\n`
  return { ...session, ok, esearch }
}
