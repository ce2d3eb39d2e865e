/** For tests: sessions of a user whose client program is known, before a server that is scripted. */
import assert from 'node:assert/strict'
import { Course } from '../ahead/course.ts'
import { Knowledge } from '../ahead/knowledge.ts'
import { readResponse } from '../ahead/responses.ts'
import { commandOf } from '../ahead/shapes.ts'
import { begin, type SessionSetup, type SplicedSession } from './session.test-support.ts'

export const identity = 'main joe'

/** What a client sent, and the untagged responses that it got, from behind `* `. */
export type Page = readonly (readonly [command: string, ...responses: string[]])[]

/** Teaches a page of a client program, as a session of this user. */
export function teach(knowledge: Knowledge, page: Page, user = identity): void {
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

/** Knowledge of a server 20 ms away that has answered four commands at once. */
export function knowledgeOf(...pages: Page[]): Knowledge {
  const knowledge = new Knowledge()
  knowledge.answered(3)
  knowledge.measured(20)
  for (const page of pages) teach(knowledge, page)
  return knowledge
}

export interface AheadSession extends SplicedSession {
  /** The commands that have reached the server since the last call, without tags; their tags by command are in `tags`. */
  up(count: number): Promise<string[]>
  /** The tag of the command that reached the server last with this text. */
  tag(text: string): string
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
    tag(text) {
      const tag = tags.get(text)
      assert.ok(tag !== undefined, `${text} did not reach the server`)
      return tag
    },
  }
}
